import { useRef, type CSSProperties, type MouseEvent, type PointerEvent, type WheelEvent } from "react";
import { useLanguage } from "@/i18n/context";
import type { OrderImage } from "./model";
import { Picture } from "./Picture";
import type { ZoomControl } from "./useZoom";
import { chosenVersion, isPhotoLost, photoOf } from "./versions";
import type { View } from "./Viewer";
import { CompareSlider } from "./CompareSlider";
import type { Point } from "./zoom";

interface ViewerPictureProps {
  image: OrderImage;
  view: View;
  zoom: ZoomControl;
}

const WHEEL_FACTOR = 1.0015;

/** The picture at full size. Wheel and pinch zoom, dragging pans, a double click zooms in or out. */
export function ViewerPicture({ image, view, zoom }: ViewerPictureProps) {
  const gestures = useGestures(zoom);
  const { scale, x, y } = zoom.state;
  return (
    <div
      {...gestures}
      className={`size-full touch-none overflow-hidden ${scale > 1 ? "cursor-grab active:cursor-grabbing" : ""}`}
    >
      <div
        className="size-full"
        style={{ transform: `translate(${x}px, ${y}px) scale(${scale})`, "--zoom": scale } as CSSProperties}
      >
        <Subject image={image} view={view} />
      </div>
    </div>
  );
}

function Subject({ image, view }: { image: OrderImage; view: View }) {
  const { t } = useLanguage();
  const page = chosenVersion(image, "coloring");
  const photoAlt = t("detail.photo", { position: image.position });
  const photo = photoOf(image);
  if (view === "compare" && photo !== null && page?.url) {
    const pageAlt = `${t("detail.kind.coloring")} v${page.version}`;
    return <CompareSlider photo={photo} page={page.url} photoAlt={photoAlt} pageAlt={pageAlt} initial={50} />;
  }
  const version = view === "svg" || view === "coloring" ? chosenVersion(image, view) : undefined;
  const src = version?.url ?? photo;
  if (src === null) {
    const why = t(isPhotoLost(image) ? "detail.photo.lost" : "detail.photo.waiting");
    return <p className="grid size-full place-items-center">{why}</p>;
  }
  const alt = version
    ? `${t(view === "svg" ? "detail.kind.svg" : "detail.kind.coloring")} v${version.version}`
    : photoAlt;
  return <Picture src={src} alt={alt} className={`size-full object-contain ${version ? "bg-white" : ""}`} />;
}

function useGestures(zoom: ZoomControl) {
  const pointers = useRef(new Map<number, Point>());

  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.target instanceof HTMLInputElement) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>): void => {
    const before = pointers.current.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    pointers.current.set(event.pointerId, now);
    if (!other) zoom.move(now.x - before.x, now.y - before.y);
    else zoom.at(distance(now, other) / Math.max(1, distance(before, other)), fromCentre(event, other));
  };
  const release = (event: PointerEvent<HTMLDivElement>): void => {
    pointers.current.delete(event.pointerId);
  };
  return {
    onPointerDown,
    onPointerMove,
    onPointerUp: release,
    onPointerCancel: release,
    onWheel: (event: WheelEvent<HTMLDivElement>) =>
      zoom.at(WHEEL_FACTOR ** -event.deltaY, fromCentre(event, { x: event.clientX, y: event.clientY })),
    onDoubleClick: (event: MouseEvent<HTMLDivElement>) => {
      if (zoom.state.scale > 1) zoom.whole();
      else zoom.at(2.5, fromCentre(event, { x: event.clientX, y: event.clientY }));
    },
  };
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

function fromCentre(event: { currentTarget: Element }, point: Point): Point {
  const box = event.currentTarget.getBoundingClientRect();
  return { x: point.x - box.left - box.width / 2, y: point.y - box.top - box.height / 2 };
}
