import { useEffect, useRef, useState } from "react";

export function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** Whether files are being dragged over the window; `onDrop` gets files that are dropped anywhere in it. */
export function useFileDrop(onDrop: (files: File[]) => void): boolean {
  const [isOver, setIsOver] = useState(false);
  const current = useRef(onDrop);
  useEffect(() => {
    current.current = onDrop;
  });
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setIsOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setIsOver(false);
    };
    const drop = (event: DragEvent) => {
      setIsOver(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      current.current([...(event.dataTransfer?.files ?? [])]);
    };
    // Captured: before useStrayDrops, whichever of them was mounted first.
    addEventListener("dragover", over, { capture: true });
    addEventListener("dragleave", leave);
    addEventListener("drop", drop, { capture: true });
    return () => {
      removeEventListener("dragover", over, { capture: true });
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop, { capture: true });
    };
  }, []);
  return isOver;
}
