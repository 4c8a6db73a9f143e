/** The skin of Video.js around a video. */

import { I18nProvider } from "@videojs/react/i18n";
import { VideoPlayer, VideoSkin } from "@videojs/react/video";
import "@videojs/react/video/skin.css";
import type { ReactNode } from "react";
import { useTexts } from "../i18n";
import "./skin.css";

/** `children` are a `Video` and what lies over it. */
export function Skin({ children }: { children: ReactNode }) {
  const { language } = useTexts();
  return (
    <VideoPlayer>
      <I18nProvider locale={language}>
        <VideoSkin>{children}</VideoSkin>
      </I18nProvider>
    </VideoPlayer>
  );
}
