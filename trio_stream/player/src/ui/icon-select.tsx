/** One of several, behind an icon. */

import type { ReactNode } from "react";
import { Icon, type IconName } from "./icons";

interface Offered {
  icon: IconName;
  label: string;
  value: string;
  choose: (value: string) => void;
  /** The options. */
  children: ReactNode;
}

export function IconSelect({ icon, label, value, choose, children }: Offered) {
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
