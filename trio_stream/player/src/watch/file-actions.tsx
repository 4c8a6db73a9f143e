/** Buttons to download a video that does not play here, or to copy its link. */

import { useState } from "react";
import type { VideoDetails } from "../api/client";
import { useI18n } from "../i18n";

export function FileActions({ urls }: Pick<VideoDetails, "urls">) {
  const { t } = useI18n();
  const [copied, setCopied] = useState(false);
  const copy = () => {
    navigator.clipboard?.writeText(new URL(urls.file, location.href).href).then(
      () => setCopied(true),
      () => undefined,
    );
  };
  return (
    <>
      <a className="button first" href={urls.download}>
        {t("watch.download")}
      </a>
      {navigator.clipboard !== undefined && (
        <button type="button" className="button" onClick={copy}>
          {copied ? t("watch.copied") : t("watch.copy")}
        </button>
      )}
    </>
  );
}
