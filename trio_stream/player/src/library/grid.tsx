/** Thousands of videos, of which as many are on the page as one sees. */

import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Video } from "../api/client";
import { Card } from "./card";

const NARROWEST = 236; // pixels of a card
const PHONE = 150;
const TEXT = 62; // below its picture

/** How many columns fit, and how high a row is, in pixels. */
export function layout(width: number, gap: number): { columns: number; height: number } {
  const least = width < 560 ? PHONE : NARROWEST;
  const columns = Math.max(2, Math.floor((width + gap) / (least + gap)));
  const column = (width - gap * (columns - 1)) / columns;
  return { columns, height: Math.round((column * 9) / 16) + TEXT + gap };
}

interface Shown {
  videos: Video[];
  more: boolean;
  wantMore: () => void;
}

export function Grid({ videos, more, wantMore }: Shown) {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [top, setTop] = useState(0);
  const gap = width < 560 ? 12 : 20;

  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const measure = () => {
      setWidth(element.clientWidth);
      setTop(element.getBoundingClientRect().top + window.scrollY);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    observer.observe(document.body); // what is above may come later
    return () => observer.disconnect();
  }, []);

  const { columns, height } = layout(width, gap);
  const rows = width === 0 ? 0 : Math.ceil(videos.length / columns);
  const virtualizer = useWindowVirtualizer({
    count: rows,
    estimateSize: () => height,
    overscan: 3,
    scrollMargin: top,
  });
  useEffect(() => virtualizer.measure(), [height, virtualizer]);

  const items = virtualizer.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && rows > 0 && last >= rows - 4) wantMore();
  }, [more, last, rows, wantMore]);

  return (
    <div ref={frame} className="grid" style={{ height: virtualizer.getTotalSize() }}>
      {items.map((row) => (
        <ul
          key={row.key}
          className="row"
          style={{
            transform: `translateY(${row.start - top}px)`,
            gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
            columnGap: gap,
          }}
        >
          {videos.slice(row.index * columns, (row.index + 1) * columns).map((video) => (
            <li key={video.id}>
              <Card video={video} />
            </li>
          ))}
        </ul>
      ))}
    </div>
  );
}
