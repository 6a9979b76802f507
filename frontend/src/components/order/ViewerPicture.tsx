import type { CSSProperties, ReactNode } from "react";
import { useFailedFiles } from "@/hooks/useFailedFiles";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import type { OrderImage } from "./model";
import { Picture } from "./Picture";
import { thumbnailOf } from "./thumbnail";
import { useGestures } from "./useGestures";
import type { PictureSizes } from "./usePictureSizes";
import type { ZoomControl } from "./useZoom";
import { chosenVersion, isPhotoLost } from "./versions";
import { filesOf, type View } from "./views";
import { Wipe } from "./Wipe";
import { fit, type Size } from "./zoom";

interface ViewerPictureProps {
  image: OrderImage;
  view: View;
  zoom: ZoomControl;
  frameSize: Size;
  sizes: PictureSizes;
}

/** The picture at full size. Wheel and pinch zoom, dragging pans, a double click zooms in or out. */
export function ViewerPicture(props: ViewerPictureProps) {
  const gestures = useGestures(props.zoom);
  const { scale } = props.zoom.state;
  return (
    <div
      {...gestures}
      className={cn(
        "size-full touch-none overflow-hidden",
        scale > 1 && "cursor-grab active:cursor-grabbing",
      )}
    >
      <Subject {...props} />
    </div>
  );
}

function Subject({ image, view, zoom, frameSize, sizes }: ViewerPictureProps) {
  const { t } = useLanguage();
  const files = filesOf(image, view);
  if (files === null) {
    const why = t(isPhotoLost(image) ? "detail.photo.lost" : "detail.photo.waiting");
    return <p className="grid size-full place-items-center">{why}</p>;
  }
  const sheet = (file: string, alt: string, paper: boolean): ReactNode => (
    <Sheet key={file} file={file} alt={alt} paper={paper} zoom={zoom} frameSize={frameSize} sizes={sizes} />
  );
  const [first = "", last = first] = files;
  const photoAlt = t("detail.photo", { position: image.position });
  const nameOf = (kind: "coloring" | "svg"): string =>
    `${t(`detail.kind.${kind}`)} v${chosenVersion(image, kind)?.version ?? "?"}`;
  if (view === "photo") return sheet(last, photoAlt, false);
  if (view !== "compare") return sheet(last, nameOf(view), true);
  return (
    <Wipe
      photo={sheet(first, photoAlt, false)}
      page={sheet(last, nameOf("coloring"), true)}
      initial={50}
      ground="bg-[#12100e]"
      handleOnly={zoom.state.scale !== 1}
      className="touch-none"
    />
  );
}

export interface SheetProps extends Pick<ViewerPictureProps, "zoom" | "frameSize" | "sizes"> {
  file: string;
  alt: string;
  /** Pages and SVGs may be transparent: they lie on white. */
  paper: boolean;
}

/** One picture in its fitted size, zoomed. Its thumbnail, which the card has loaded, shows until the file is there. */
export function Sheet({ file, alt, paper, zoom, frameSize, sizes }: SheetProps) {
  const { failed, report } = useFailedFiles();
  const { scale, x, y } = zoom.state;
  const size = sizes.get(file);
  const box: CSSProperties = { transform: `translate(${x}px, ${y}px) scale(${scale})` };
  if (size) Object.assign(box, fit(size, frameSize));
  const thumbnail = thumbnailOf(file);
  const isFull = size?.isFull ?? false;
  return (
    <div className="absolute inset-0 grid place-items-center overflow-hidden">
      <div
        className={cn("relative grid", size ? paper && "bg-white" : "size-full")}
        style={box}
        data-sheet={isFull}
      >
        {!isFull && !failed.includes(thumbnail) && (
          <img
            src={thumbnail}
            alt=""
            draggable={false}
            className="absolute inset-0 size-full object-contain"
            onLoad={(event) => sizes.note(file, event.currentTarget, false)}
            onError={() => report(thumbnail)}
          />
        )}
        <Picture
          src={file}
          alt={alt}
          eager
          className="relative size-full object-contain"
          onLoad={(picture) => sizes.note(file, picture, true)}
        />
      </div>
    </div>
  );
}
