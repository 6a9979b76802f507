import { FailureText } from "@/components/FailureText";
import type { ColoringVersion, OrderImage } from "@/components/order/model";
import type { PictureSizes } from "@/components/order/usePictureSizes";
import { useZoom, type ZoomControl } from "@/components/order/useZoom";
import { isActive, isCancelled, photoOf } from "@/components/order/versions";
import { StatusBadge } from "@/components/StatusBadge";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { Pane } from "./Pane";
import { candidatesOf, largeCandidates } from "./queue";

interface PicturesProps {
  image: OrderImage;
  picked: number | null;
  /** Undefined: nothing can be picked. */
  onPick: ((versionId: number) => void) | undefined;
  zoom: ReturnType<typeof useZoom>;
  sizes: PictureSizes;
}

/** The files of an image that are shown large. */
export function filesToShow(image: OrderImage, picked: number | null): string[] {
  const pages = largeCandidates(image, picked).map((page) => page.url);
  return [photoOf(image), ...pages].filter((file) => file !== null);
}

/** The photo on the left, or above on a phone, and its candidates. */
export function Pictures({ image, picked, onPick, zoom, sizes }: PicturesProps) {
  const { t } = useLanguage();
  const large = largeCandidates(image, picked);
  const photo = photoOf(image);
  const name = t("detail.photo", { position: image.position });
  const size = sizes.get(photo ?? "");
  // Two wide pages are largest below each other, two high ones side by side.
  const isColumn = large.length === 2 && size !== undefined && size.width > size.height;
  return (
    <div
      className={cn(
        "grid min-h-0 flex-1 grid-rows-[minmax(0,2fr)_minmax(0,3fr)] gap-2 px-2 pt-0.5 sm:gap-3 sm:px-4 md:landscape:grid-rows-1",
        large.length < 2 && "md:landscape:grid-cols-2",
        large.length > 1 &&
          (isColumn ? "md:landscape:grid-cols-[3fr_2fr]" : "md:landscape:grid-cols-[2fr_3fr]"),
      )}
    >
      {photo === null ? (
        <p className="grid place-items-center rounded-[10px] bg-soft p-4 text-mute">
          {t("detail.photo.lost")}
        </p>
      ) : (
        <Pane file={photo} alt={name} zoom={zoom} sizes={sizes}>
          {name}
        </Pane>
      )}
      <div className="flex min-h-0 min-w-0 flex-col gap-2">
        <div
          className={cn(
            "grid min-h-0 flex-1 gap-2 sm:gap-3",
            large.length > 1 && "grid-cols-2",
            large.length > 2 && "grid-rows-2",
            isColumn && "md:landscape:grid-cols-1 md:landscape:grid-rows-2",
          )}
        >
          {large.map((page) => (
            <Candidate
              key={page.id}
              image={image}
              page={page}
              isPicked={page.id === picked}
              onPick={onPick && (() => onPick(page.id))}
              zoom={zoom}
              sizes={sizes}
            />
          ))}
          {large.length === 0 && (
            <p className="grid place-items-center rounded-[10px] bg-soft p-4 text-mute">
              {t("review.noPage")}
            </p>
          )}
        </div>
        <Work image={image} />
      </div>
    </div>
  );
}

interface CandidateProps {
  image: OrderImage;
  page: ColoringVersion;
  isPicked: boolean;
  onPick: (() => void) | undefined;
  zoom: ZoomControl;
  sizes: PictureSizes;
}

function Candidate({ image, page, isPicked, onPick, zoom, sizes }: CandidateProps) {
  const { t } = useLanguage();
  const place = candidatesOf(image).indexOf(page) + 1;
  const isChosen = page.id === image.selected_version_ids.coloring;
  const name = t("review.page", { version: page.version });
  const state = t(isChosen ? "review.chosen" : "review.candidate");
  const mark = page.photo_changed ? ` · ${t("photo.changed")}` : "";
  const caption = `v${page.version} · ${state}${mark}`;
  return (
    <Pane
      file={page.url ?? ""}
      alt={`${name}, ${state}`}
      paper
      zoom={zoom}
      sizes={sizes}
      isPicked={isPicked}
      onPick={onPick}
    >
      {onPick ? (
        <button
          type="button"
          aria-pressed={isPicked}
          data-candidate={page.id}
          onMouseDown={(event) => event.preventDefault()}
          onClick={onPick}
          className="flex h-9 min-w-0 flex-1 items-center gap-2 text-left"
        >
          {place < 10 && <kbd>{place}</kbd>}
          <span className={cn("truncate", isPicked && "font-semibold text-ink")}>{caption}</span>
        </button>
      ) : (
        <span data-candidate={page.id} className="truncate">
          {caption}
        </span>
      )}
    </Pane>
  );
}

/** Pages that are being made, and the newest if it failed. */
function Work({ image }: { image: OrderImage }) {
  const { t } = useLanguage();
  const pages = image.versions.coloring.filter(
    (page, index, all) =>
      isActive(page) || (page.status === "error" && !isCancelled(page) && index === all.length - 1),
  );
  if (pages.length === 0) return null;
  return (
    <ul className="flex shrink-0 flex-wrap gap-x-4 gap-y-1 text-[13px]">
      {pages.map((page) => (
        <li key={page.id} className="flex flex-wrap items-center gap-2">
          {t("review.page", { version: page.version })}
          <StatusBadge kind="coloring" status={page.status} />
          {page.error && <FailureText failure={page.error} />}
        </li>
      ))}
    </ul>
  );
}
