/** Moves the focus with the arrow keys, as on a television: to the nearest element in that direction. */

import { useEffect } from "react";

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export type Direction = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

const middle = (box: Box) => ({ x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 });

/** The index in `others` of the nearest box in that direction from `from`; -1 if there is none. */
export function nearest(from: Box, others: readonly Box[], direction: Direction): number {
  const across = direction === "ArrowLeft" || direction === "ArrowRight";
  const sign = direction === "ArrowRight" || direction === "ArrowDown" ? 1 : -1;
  const here = middle(from);
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  others.forEach((other, index) => {
    const there = middle(other);
    const along = sign * (across ? there.x - here.x : there.y - here.y);
    if (along <= 1) return;
    const overlap = across
      ? Math.min(from.bottom, other.bottom) - Math.max(from.top, other.top)
      : Math.min(from.right, other.right) - Math.max(from.left, other.left);
    if (across && overlap <= 0) return; // left and right stay in the same row
    const aside = Math.abs(across ? there.y - here.y : there.x - here.x);
    const cost = along + aside * (overlap > 0 ? 0.5 : 2);
    if (cost < least) [best, least] = [index, cost];
  });
  return best;
}

const FOCUSABLE = "a[href], button:not([disabled]), input, select, [tabindex='0']";

export function useArrowKeys(): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (!event.key.startsWith("Arrow") || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey)
        return;
      const from = document.activeElement;
      if (!(from instanceof HTMLElement)) return;
      if (from.closest("[data-arrows='own'], [role='menu'], [role='slider']")) return;
      const typing = from instanceof HTMLInputElement && (event.key === "ArrowLeft" || event.key === "ArrowRight");
      if (typing || from instanceof HTMLSelectElement) return;
      const targets = [...document.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(
        (each) => each !== from && each.checkVisibility({ visibilityProperty: true }),
      );
      const start = from === document.body ? { left: 0, top: 0, right: 1, bottom: 1 } : from.getBoundingClientRect();
      const found = targets[nearest(start, targets.map((each) => each.getBoundingClientRect()), event.key as Direction)];
      if (found === undefined) return; // the page scrolls instead
      event.preventDefault();
      found.focus({ preventScroll: true });
      found.scrollIntoView({ block: "nearest", inline: "nearest" });
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}
