/** A blurred placeholder for an image that is still loading. */

import { decodeBlurHash } from "fast-blurhash";
import { useEffect, useRef } from "react";

const WIDTH = 32;
const HEIGHT = 18;

export function Blur({ hash }: { hash: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    try {
      const pixels = context.createImageData(WIDTH, HEIGHT);
      pixels.data.set(decodeBlurHash(hash, WIDTH, HEIGHT));
      context.putImageData(pixels, 0, 0);
    } catch {
      // A missing placeholder must not break the page.
    }
  }, [hash]);
  return <canvas ref={canvas} className="blur" width={WIDTH} height={HEIGHT} aria-hidden="true" />;
}
