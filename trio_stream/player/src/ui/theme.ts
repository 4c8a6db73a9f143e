/** Light, dark, or the setting of the system. */

import { useEffect, useState } from "react";
import { loadPreference, savePreference } from "./storage";

export const THEMES = ["auto", "dark", "light"] as const;
export type Theme = (typeof THEMES)[number];

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(() => THEMES.find((each) => each === loadPreference("theme")) ?? "auto");
  useEffect(() => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    savePreference("theme", theme === "auto" ? null : theme);
  }, [theme]);
  return [theme, setTheme];
}
