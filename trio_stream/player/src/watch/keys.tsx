/** The keyboard shortcuts, as people look them up. */

import type { RefObject } from "react";
import { type Word, useTexts } from "../i18n";

const KEYS: readonly [keys: string, about: Word][] = [
  ["␣ k", "keys.play"],
  ["← →", "keys.seek"],
  ["j l", "keys.jump"],
  ["↑ ↓", "keys.volume"],
  ["m", "keys.mute"],
  ["f", "keys.full"],
  ["c", "keys.captions"],
  ["i", "keys.pip"],
  ["< >", "keys.speed"],
  ["0 … 9", "keys.percent"],
  [", .", "keys.frame"],
  ["N", "keys.next"],
  ["?", "keys.help"],
];

/** Shows when `dialog.showModal` is called; whether it does is known to the dialog alone. */
export function Keys({ dialog }: { dialog: RefObject<HTMLDialogElement | null> }) {
  const { t } = useTexts();
  return (
    <dialog ref={dialog} className="keys" aria-labelledby="keys-title" data-arrows="own">
      <h2 id="keys-title">{t("player.keys")}</h2>
      <dl>
        {KEYS.map(([keys, about]) => (
          <div key={about}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(about)}</dd>
          </div>
        ))}
      </dl>
      <button type="button" className="button" onClick={() => dialog.current?.close()}>
        {t("close")}
      </button>
    </dialog>
  );
}
