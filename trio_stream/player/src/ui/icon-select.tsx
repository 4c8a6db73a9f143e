/** A select element behind an icon. */

import type { ReactNode } from "react";
import { Icon, type IconName } from "./icons";

interface IconSelectProps {
  icon: IconName;
  label: string;
  value: string;
  choose: (value: string) => void;
  /** The options. */
  children: ReactNode;
}

export function IconSelect({ icon, label, value, choose, children }: IconSelectProps) {
  return (
    <label className="choice">
      <span className="hidden">{label}</span>
      <span className="icon-button">
        <Icon name={icon} />
      </span>
      <select value={value} onChange={(event) => choose(event.target.value)}>
        {children}
      </select>
    </label>
  );
}
