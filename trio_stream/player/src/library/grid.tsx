/** A virtualised grid: of thousands of videos, only the visible ones are in the page. */

import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Video } from "../api/client";
import { Card } from "./card";

const MIN_WIDTH = 236; // of a card, in pixels
const MIN_WIDTH_PHONE = 150;
const TEXT_HEIGHT = 62; // below the poster

/** The number of columns that fit, and the height of a row in pixels. */
export function layout(width: number, gap: number): { columns: number; height: number } {
  const minWidth = width < 560 ? MIN_WIDTH_PHONE : MIN_WIDTH;
  const columns = Math.max(2, Math.floor((width + gap) / (minWidth + gap)));
  const column = (width - gap * (columns - 1)) / columns;
  return { columns, height: Math.round((column * 9) / 16) + TEXT_HEIGHT + gap };
}

interface Props {
  videos: Video[];
  hasMore: boolean;
  loadMore: () => void;
}

export function Grid({ videos, hasMore, loadMore }: Props) {
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
    observer.observe(document.body); // content above it may load later
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
    if (hasMore && rows > 0 && last >= rows - 4) loadMore();
  }, [hasMore, last, rows, loadMore]);

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
