/** Links to the other files of a title, for versions that the player cannot switch between during playback. */

import { Link } from "wouter";
import type { VideoDetails } from "../api/client";
import { useI18n } from "../i18n";
import { bytes } from "../ui/format";

type Version = VideoDetails["versions"][number];

export function Versions({ id, versions }: Pick<VideoDetails, "id" | "versions">) {
  const { t, language } = useI18n();
  if (versions.length < 2) return null;
  return (
    <nav aria-labelledby="versions">
      <h2 id="versions">{t("watch.versions")}</h2>
      <ul className="tags">
        {versions.map((version) => (
          <li key={version.id}>
            <Link href={`/watch/${version.id}`} title={version.name} aria-current={version.id === id ? "page" : undefined}>
              {nameOf(version, versions)} · {bytes(language, version.size)}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** The height of a version if it is known and unique, else its file name, else its path. */
export function nameOf(version: Version, versions: readonly Version[]): string {
  const { height, name } = version;
  const others = versions.filter((other) => other.id !== version.id);
  if (height !== null && !others.some((other) => other.height === height)) return `${height}p`;
  return others.some((other) => fileOf(other.name) === fileOf(name)) ? name : fileOf(name);
}

function fileOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
