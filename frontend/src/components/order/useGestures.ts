import { useEffect, useRef, type MouseEvent, type PointerEvent, type RefObject } from "react";
import type { ZoomControl } from "./useZoom";
import { wheelFactor, type Point } from "./zoom";

/** Pointers that are down by their id; a pointer on the wipe's handle moves it, two fingers zoom anywhere. */
export function useGestures(zoom: ZoomControl) {
  const pointers = useRef(new Map<number, { point: Point; isOnHandle: boolean }>());

  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    const isOnHandle = event.target instanceof HTMLInputElement;
    if (!isOnHandle) event.currentTarget.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, { point: fromCenter(event), isOnHandle });
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>): void => {
    const before = pointers.current.get(event.pointerId);
    if (!before) return;
    const now = fromCenter(event);
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    pointers.current.set(event.pointerId, { ...before, point: now });
    if (other) zoom.pinch([before.point, other.point], [now, other.point]);
    else if (!before.isOnHandle) zoom.move(now.x - before.point.x, now.y - before.point.y);
  };
  const release = (event: PointerEvent<HTMLDivElement>): void => {
    pointers.current.delete(event.pointerId);
  };
  return {
    onPointerDown,
    onPointerMove,
    onPointerUp: release,
    onPointerCancel: release,
    onDoubleClick: (event: MouseEvent<HTMLDivElement>) => {
      if (zoom.state.scale === 1) zoom.at(2.5, fromCenter(event));
      else zoom.whole();
    },
  };
}

function fromCenter(event: { currentTarget: Element; clientX: number; clientY: number }): Point {
  const box = event.currentTarget.getBoundingClientRect();
  return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
}

/** The wheel zooms the picture; with Ctrl, too, which would zoom the page. React's own listener cannot prevent that. */
export function useWheel(
  root: RefObject<HTMLElement | null>,
  frame: RefObject<HTMLElement | null>,
  zoom: ZoomControl,
): void {
  const current = useRef(zoom);
  useEffect(() => {
    current.current = zoom;
  });
  useEffect(() => {
    const element = root.current;
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      const box = frame.current?.getBoundingClientRect();
      if (!box) return;
      const point = {
        x: event.clientX - box.left - box.width / 2,
        y: event.clientY - box.top - box.height / 2,
      };
      current.current.at(wheelFactor(event), point);
    };
    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, [root, frame]);
}
