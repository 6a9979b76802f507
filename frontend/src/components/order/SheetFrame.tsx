import { FailureText } from "@/components/FailureText";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import type { ColoringVersion, OrderImage } from "./model";
import { Picture } from "./Picture";
import { SHEET_VIEWS, type Sheet } from "./useSheet";
import { isPhotoLost, photoOf } from "./versions";
import { Wipe } from "./Wipe";

interface SheetFrameProps {
  image: OrderImage;
  sheet: Sheet;
  /** A small sheet is one button, also for a finger; the others are compared. */
  isSmall: boolean;
  caption: string;
  /** Opens what is shown on the whole screen. */
  onOpen: () => void;
}

/** A sheet of paper with one picture: the page, its SVG or the photo. Its size does not change when one loads. */
export function SheetFrame({ image, sheet, isSmall, caption, onOpen }: SheetFrameProps) {
  const { t } = useLanguage();
  const contents = (
    <Contents image={image} sheet={sheet} isSmall={isSmall} caption={caption} onOpen={onOpen} />
  );
  return (
    <div className="relative aspect-4/3 overflow-hidden bg-white dark:bg-soft">
      <div className={cn("absolute overflow-hidden", isSmall ? "inset-1.5" : "inset-3")}>
        {isSmall && sheet.views.length > 0 ? (
          <button
            type="button"
            aria-label={t("detail.view.open", { what: caption })}
            className="block size-full cursor-zoom-in focus-visible:-outline-offset-2"
            onClick={onOpen}
          >
            {contents}
          </button>
        ) : (
          contents
        )}
      </div>
    </div>
  );
}

function Contents({ image, sheet: { view, version }, isSmall, caption, onOpen }: SheetFrameProps) {
  const { t } = useLanguage();
  const url = view === "photo" ? photoOf(image) : (version?.url ?? null);
  if (url === null) return <NoPhoto image={image} />;
  if (isSmall) return <Picture src={url} alt={caption} small />;
  const photo = view === "coloring" ? comparablePhoto(image, version as ColoringVersion) : null;
  if (photo === null)
    return (
      // The button below does the same for the keyboard.
      <div className="size-full cursor-zoom-in" onClick={onOpen}>
        <Picture src={url} alt={caption} small />
      </div>
    );
  return (
    <Wipe
      photo={<Picture src={photo} alt={t("detail.photo", { position: image.position })} small />}
      page={<Picture src={url} alt={caption} small />}
      initial={0}
      ground="bg-white dark:bg-soft"
      className="touch-pan-y"
      onOpen={onOpen}
    />
  );
}

/** The photo that the page was made from, to lay over it. */
function comparablePhoto(image: OrderImage, page: ColoringVersion): string | null {
  return page.photo_changed || image.error ? null : photoOf(image);
}

/** Why there is no photo; a page of a photo that was lost is still shown. */
function NoPhoto({ image }: { image: OrderImage }) {
  const { t } = useLanguage();
  if (!image.error)
    return (
      <p className="grid size-full animate-breathe place-items-center bg-soft p-6 text-center text-[13px] text-mute">
        {t("detail.photo.waiting")}
      </p>
    );
  return <PhotoFailure image={image} className="size-full place-content-center p-6 text-center" />;
}

/** Why the photo cannot be used. */
export function PhotoFailure({ image, className }: { image: OrderImage; className?: string }) {
  const { t } = useLanguage();
  if (!image.error) return null;
  return (
    <div role="status" className={cn("grid gap-1 bg-bad-soft text-[13px] text-bad", className)}>
      <b className="font-semibold">{t(isPhotoLost(image) ? "detail.photo.lost" : "detail.photo.failed")}</b>{" "}
      <FailureText failure={image.error} />
    </div>
  );
}

/** Chooses what the frame shows. */
export function SheetTabs({ sheet }: { sheet: Sheet }) {
  const { t } = useLanguage();
  return (
    <div role="group" aria-label={t("detail.view.label")} className="flex rounded-[8px] bg-soft p-0.5">
      {SHEET_VIEWS.map((view) => (
        <button
          key={view}
          type="button"
          aria-pressed={view === sheet.view}
          disabled={!sheet.views.includes(view)}
          onClick={() => sheet.show(view)}
          className={cn(
            "h-7 rounded-[6px] px-2 text-xs disabled:opacity-45",
            view === sheet.view
              ? "bg-card font-medium text-ink shadow-card"
              : "text-mute enabled:hover:text-ink",
          )}
        >
          {t(`detail.view.${view}`)}
        </button>
      ))}
    </div>
  );
}
