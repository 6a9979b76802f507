import { useCallback, useEffect, useRef, useState, type RefObject } from "react";
import type { OrderImage } from "./model";
import { filesOf, shownView, type View } from "./views";
import { extentOf, type Extent, type Size } from "./zoom";

interface Known extends Size {
  /** False for the size of the thumbnail, which has the same proportions. */
  isFull: boolean;
}

export interface PictureSizes {
  get: (file: string) => Known | undefined;
  note: (file: string, picture: HTMLImageElement, isFull: boolean) => void;
}

/** The sizes of the pictures that were loaded, by file. */
export function usePictureSizes(): PictureSizes {
  const [sizes, setSizes] = useState<ReadonlyMap<string, Known>>(new Map());
  const note = useCallback((file: string, picture: HTMLImageElement, isFull: boolean) => {
    const { naturalWidth: width, naturalHeight: height } = picture;
    if (width === 0) return;
    setSizes((before) =>
      before.get(file)?.isFull ? before : new Map(before).set(file, { width, height, isFull }),
    );
  }, []);
  return { get: (file) => sizes.get(file), note };
}

/** The size of an element, and its current extent with a picture in it. */
export function useExtent(frame: RefObject<HTMLElement | null>, picture: Known | undefined): Extent {
  const [size, setSize] = useState<Size>({ width: innerWidth, height: innerHeight });
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      const { width, height } = element.getBoundingClientRect();
      if (width > 0) setSize({ width, height });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [frame]);
  return extentOf(size, picture, picture?.isFull ?? false, devicePixelRatio);
}

/** Load the pictures of the images before and after, once the current one is there: it has the whole line. */
export function usePreloading(
  images: readonly OrderImage[],
  index: number,
  wanted: View,
  isReady: boolean,
  sizes: PictureSizes,
): void {
  const files = [index + 1, index - 1].flatMap((place) => {
    const image = images[place];
    return image ? (filesOf(image, shownView(image, wanted)) ?? []) : [];
  });
  usePreloadedFiles(files, isReady, sizes);
}

/** Load files, and keep them as long as they are wanted. */
export function usePreloadedFiles(files: readonly string[], isReady: boolean, sizes: PictureSizes): void {
  const loaded = useRef(new Map<string, HTMLImageElement>());
  const { note } = sizes;
  const list = files.join("\n");
  useEffect(() => {
    if (!isReady) return;
    const kept = loaded.current;
    loaded.current = new Map();
    for (const file of list.split("\n").filter(Boolean)) {
      const picture = kept.get(file) ?? new Image();
      loaded.current.set(file, picture);
      if (picture.src) continue;
      picture.onload = () => note(file, picture, true);
      picture.src = file;
      // Decoded in advance, it is painted with the frame that shows it. A broken file is reported where it is shown.
      picture.decode().catch(() => undefined);
    }
  }, [list, isReady, note]);
}
