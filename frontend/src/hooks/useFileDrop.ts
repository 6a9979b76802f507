import { useEffect, useRef, useState } from "react";

export function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/**
 * The element that files are being dragged over, null while there are none; `onDrop` gets files that are dropped
 * anywhere in the window, and the element that they are dropped on.
 */
export function useFileDrop(onDrop: (files: File[], target: Element | null) => void): Element | null {
  const [over, setOver] = useState<Element | null>(null);
  const current = useRef(onDrop);
  useEffect(() => {
    current.current = onDrop;
  });
  useEffect(() => {
    const dragOver = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(elementOf(event));
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(null);
    };
    const drop = (event: DragEvent) => {
      setOver(null);
      if (!hasFiles(event)) return;
      event.preventDefault();
      current.current([...(event.dataTransfer?.files ?? [])], elementOf(event));
    };
    // Captured: before useStrayDrops, whichever of them was mounted first.
    addEventListener("dragover", dragOver, { capture: true });
    addEventListener("dragleave", leave);
    addEventListener("drop", drop, { capture: true });
    return () => {
      removeEventListener("dragover", dragOver, { capture: true });
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop, { capture: true });
    };
  }, []);
  return over;
}

const elementOf = (event: DragEvent): Element =>
  event.target instanceof Element ? event.target : document.body;
