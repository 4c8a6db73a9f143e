/** What a page shows instead of its content: nothing found, an error, or still loading. */

import type { ReactNode } from "react";
import { Link } from "wouter";
import { ApiError, isGone } from "../api/client";
import { problemKey, useI18n } from "../i18n";
import { Icon, type IconName } from "./icons";

interface PageMessageProps {
  icon: IconName;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  /** Screen readers announce it at once. */
  alert?: boolean;
}

export function PageMessage({ icon, title, children, actions, alert = false }: PageMessageProps) {
  return (
    <section className="state" role={alert ? "alert" : undefined}>
      <Icon name={icon} />
      <h1>{title}</h1>
      {children}
      {actions !== undefined && <div className="actions">{actions}</div>}
    </section>
  );
}

export function Failed({ title, error, retry }: { title: string; error: Error; retry: () => void }) {
  const { t } = useI18n();
  const key = error instanceof ApiError ? problemKey(error.code) : null;
  return (
    <PageMessage
      alert
      icon="broken"
      title={title}
      actions={
        <button type="button" className="button first" onClick={retry}>
          {t("retry")}
        </button>
      }
    >
      {key === null ? <p lang="en">{error.message}</p> : <p>{t(key)}</p>}
    </PageMessage>
  );
}

export function LibraryLink() {
  const { t } = useI18n();
  return (
    <Link className="button first" href="/">
      {t("toLibrary")}
    </Link>
  );
}

/** Shown instead of a video that does not exist any more or could not be loaded. */
export function NoVideo({ error, retry }: { error: Error; retry: () => void }) {
  const { t } = useI18n();
  if (!isGone(error)) return <Failed title={t("watch.failed")} error={error} retry={retry} />;
  return (
    <PageMessage icon="film" title={t("watch.gone")} actions={<LibraryLink />}>
      <p>{t("watch.gone.more")}</p>
    </PageMessage>
  );
}
