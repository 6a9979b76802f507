import { useRef, type MouseEvent, type PointerEvent, type ReactNode } from "react";
import { useGestures, useWheel } from "@/components/order/useGestures";
import { useExtent, type PictureSizes } from "@/components/order/usePictureSizes";
import type { ZoomControl } from "@/components/order/useZoom";
import { Sheet } from "@/components/order/ViewerPicture";
import type { Extent, Point, Size } from "@/components/order/zoom";
import { cn } from "@/lib/cn";

/** Width of a picture in the units of the zoom that all panes share. */
const UNITS = 1000;
/** A pointer that moved farther, in pixels, has panned: it does not pick. */
const CLICK_REACH = 6;

/** The extent of the shared zoom: the picture itself, whatever the size of a pane. */
export function sharedExtent(size: Size | undefined): Extent {
  const ratio = size && size.width > 0 ? size.height / size.width : 1;
  const picture = { width: UNITS, height: UNITS * ratio };
  return { frame: picture, picture, actual: undefined };
}

/** The shared zoom in the pixels of a pane, in which the picture is `width` wide: all panes show the same part. */
function inPixels(zoom: ZoomControl, width: number): ZoomControl {
  const unit = UNITS / width;
  const { scale, x, y } = zoom.state;
  const shared = (point: Point): Point => ({ x: point.x * unit, y: point.y * unit });
  const both = ([one, other]: [Point, Point]): [Point, Point] => [shared(one), shared(other)];
  return {
    ...zoom,
    state: { scale, x: x / unit, y: y / unit },
    at: (factor, point) => zoom.at(factor, shared(point)),
    move: (dx, dy) => zoom.move(dx * unit, dy * unit),
    pinch: (before, now) => zoom.pinch(both(before), both(now)),
  };
}

interface PaneProps {
  file: string;
  alt: string;
  /** Of a page, which lies on white. */
  paper?: boolean;
  zoom: ZoomControl;
  sizes: PictureSizes;
  /** A click on the picture picks it. */
  onPick?: (() => void) | undefined;
  isPicked?: boolean;
  /** The caption below the picture. */
  children: ReactNode;
}

/** One picture of the review with its caption; all zoom and pan together. */
export function Pane({
  file,
  alt,
  paper = false,
  zoom,
  sizes,
  onPick,
  isPicked = false,
  children,
}: PaneProps) {
  const frame = useRef<HTMLDivElement>(null);
  const down = useRef<Point>({ x: 0, y: 0 });
  const extent = useExtent(frame, sizes.get(file));
  const local = inPixels(zoom, extent.picture.width);
  const gestures = useGestures(local);
  useWheel(frame, frame, local);
  const pick = (event: MouseEvent): void => {
    const moved = Math.hypot(event.clientX - down.current.x, event.clientY - down.current.y);
    if (moved <= CLICK_REACH) onPick?.();
  };
  return (
    <figure
      className={cn(
        "flex min-h-0 min-w-0 flex-col overflow-hidden rounded-[10px] border bg-card",
        isPicked ? "border-accent ring-2 ring-accent" : "border-line",
      )}
    >
      <div
        ref={frame}
        {...gestures}
        onPointerDownCapture={(event: PointerEvent) =>
          (down.current = { x: event.clientX, y: event.clientY })
        }
        onClick={pick}
        className={cn(
          "relative min-h-0 flex-1 touch-none overflow-hidden bg-soft",
          zoom.state.scale > 1 ? "cursor-grab active:cursor-grabbing" : onPick && "cursor-pointer",
        )}
      >
        <Sheet
          key={file}
          file={file}
          alt={alt}
          paper={paper}
          zoom={local}
          frameSize={extent.frame}
          sizes={sizes}
        />
      </div>
      <figcaption className="flex min-h-9 shrink-0 items-center gap-2 px-3 text-[13px] text-mute">
        {children}
      </figcaption>
    </figure>
  );
}
