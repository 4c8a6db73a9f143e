/** The skin of Video.js around a video, with what it lacks. */

import { selectControls, selectPiP, useContainer, useHotkey, usePlayer } from "@videojs/react";
import { I18nProvider } from "@videojs/react/i18n";
import { VideoPlayer, VideoSkin } from "@videojs/react/video";
import "@videojs/react/video/skin.css";
import { type ReactNode, useEffect } from "react";
import { useI18n } from "../i18n";
import { PLAYER_CONTROLS } from "../i18n/player-controls";
import "./skin.css";
import { SubtitlePosition } from "./subtitle-position";

/** `children` are a `Video` and its overlays. */
export function Skin({ children }: { children: ReactNode }) {
  const { language } = useI18n();
  return (
    <VideoPlayer>
      <I18nProvider locale={language} translations={PLAYER_CONTROLS[language]}>
        <VideoSkin>
          {children}
          <ControlsLock />
          <SubtitlePosition />
          <VolumeLabel />
          <PictureInPicture />
        </VideoSkin>
      </I18nProvider>
    </VideoPlayer>
  );
}

/** Keeps the controls visible while the mouse is on them. */
function ControlsLock() {
  const container = useContainer();
  const lock = usePlayer(selectControls)?.requestControlsLock;
  useEffect(() => {
    if (container === null || lock === undefined) return;
    const abort = new AbortController();
    let release: (() => void) | null = null;
    const hold = (on: boolean) => {
      if (on) release ??= lock();
      else {
        release?.();
        release = null;
      }
    };
    const over = ({ pointerType, target }: PointerEvent) =>
      hold(pointerType === "mouse" && target instanceof Element && target.closest("[data-interactive]") !== null);
    container.addEventListener("pointerover", over, { signal: abort.signal });
    container.addEventListener("pointerleave", () => hold(false), { signal: abort.signal });
    return () => {
      abort.abort();
      hold(false);
    };
  }, [container, lock]);
  return null;
}

/** Labels the volume dialog, which has no name of its own, like the slider in it. */
function VolumeLabel() {
  const container = useContainer();
  useEffect(() => {
    if (container === null) return;
    const name = ({ target }: Event) => {
      if (!(target instanceof Element) || target.getAttribute("role") !== "dialog") return;
      const label = target.querySelector("[role='slider']")?.getAttribute("aria-label");
      if (label != null) target.setAttribute("aria-label", label);
    };
    container.addEventListener("beforetoggle", name, { capture: true });
    return () => container.removeEventListener("beforetoggle", name, { capture: true });
  }, [container]);
  return null;
}

/** The key for picture-in-picture. A browser may refuse it: then nothing happens, and no error is left unhandled. */
function PictureInPicture() {
  const toggle = usePlayer(selectPiP)?.togglePictureInPicture;
  useHotkey({ keys: "i", repeatable: false, onActivate: () => void toggle?.().catch(() => undefined) });
  return null;
}
