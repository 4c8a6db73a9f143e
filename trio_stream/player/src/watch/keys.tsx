/** The list of keyboard shortcuts. */

import type { RefObject } from "react";
import { type MessageKey, useI18n } from "../i18n";

const KEYS: readonly [keys: string, description: MessageKey][] = [
  ["␣ k", "keys.play"],
  ["← →", "keys.seek"],
  ["j l", "keys.jump"],
  ["↑ ↓", "keys.volume"],
  ["m", "keys.mute"],
  ["f", "keys.full"],
  ["c", "keys.subtitles"],
  ["i", "keys.pip"],
  ["< >", "keys.speed"],
  ["0 … 9", "keys.percent"],
  [", .", "keys.frame"],
  ["N", "keys.next"],
  ["?", "keys.help"],
];

/** Opened with `dialog.showModal`; only the dialog holds whether it is open. */
export function Keys({ dialog }: { dialog: RefObject<HTMLDialogElement | null> }) {
  const { t } = useI18n();
  return (
    <dialog ref={dialog} className="keys" aria-labelledby="keys-title" data-arrows="own">
      <h2 id="keys-title">{t("player.keys")}</h2>
      <dl>
        {KEYS.map(([keys, description]) => (
          <div key={description}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(description)}</dd>
          </div>
        ))}
      </dl>
      <button type="button" className="button" onClick={() => dialog.current?.close()}>
        {t("close")}
      </button>
    </dialog>
  );
}
