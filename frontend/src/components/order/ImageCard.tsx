import { memo, useLayoutEffect } from "react";
import { EditPhoto } from "@/components/photo/EditPhoto";
import { usePhotoEditing } from "@/components/photo/editing";
import { Icon } from "@/components/Icon";
import { ForOperators } from "@/components/session/ForOperators";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { useImageActions, type ImageActions, type OptionsToSend } from "./actions";
import { Approval } from "./Approval";
import { useApproval } from "./approvals";
import { useCaption } from "./captions";
import { Lane } from "./Lane";
import type { OrderImage } from "./model";
import { PhotoMenu } from "./PhotoMenu";
import { PhotoFailure, SheetFrame, SheetTabs } from "./SheetFrame";
import { SheetMarks } from "./SheetMarks";
import type { SheetSize } from "./sheetSize";
import type { CardCommands, CardRegister } from "./useCardKeys";
import { useCardOptions } from "./useCardOptions";
import { useSheet } from "./useSheet";
import { chosenVersion, hasFailed, photoOf, versionsOf } from "./versions";
import type { View, Viewed } from "./views";

interface ImageCardProps {
  orderNumber: string;
  image: OrderImage;
  /** False if the shop cancelled the order or removed the item. */
  isDeliverable?: boolean;
  options: OptionsToSend;
  /** A small card is a picture with its marks; the others have versions and actions, too. */
  size?: SheetSize;
  register: CardRegister;
  onView: (viewed: Viewed) => void;
}

const SHAPE: Record<SheetSize, string> = {
  large:
    "[contain-intrinsic-size:auto_760px] lg:grid lg:grid-cols-[minmax(0,3fr)_minmax(20rem,2fr)] lg:items-start",
  medium: "[contain-intrinsic-size:auto_760px]",
  small: "[contain-intrinsic-size:auto_180px]",
};

/**
 * The sheet of one photo: its page, SVG or photo in one frame, and the versions. Re-renders only when its own
 * image or the options change. Off screen it costs no layout (`content-visibility`), but shortcuts,
 * find-in-page and anchors still find it.
 */
export const ImageCard = memo(function ImageCard({
  orderNumber,
  image,
  isDeliverable = true,
  options: shared,
  size = "medium",
  register,
  onView,
}: ImageCardProps) {
  const { t } = useLanguage();
  const options = useCardOptions(shared);
  const actions = useImageActions(orderNumber, image, options.toSend, isDeliverable);
  const sheet = useSheet(image);
  const view = (view: View, looked?: Viewed["looked"]): void =>
    onView({ imageId: image.id, view, ...(looked && { looked }) });
  const caption = useCaption(image, sheet.view, sheet.version);
  const open = (): void => {
    if (sheet.view === "photo" || sheet.version?.id === image.selected_version_ids[sheet.view])
      view(sheet.view);
    else view(sheet.view, { [sheet.view]: sheet.version?.id });
  };
  const approval = useApproval(orderNumber, image);
  const { edit } = usePhotoEditing(image, isDeliverable);
  useRegistration(register, image, {
    ...actions,
    view: () => view(image.versions.coloring.length > 0 ? "coloring" : "photo"),
    approve: () => isDeliverable && approval.approve(),
    edit,
  });
  const failed = (["coloring", "svg"] as const).some((kind) => hasFailed(image, kind));
  const lane = { image, isDeliverable, actions, options, sheet };
  const name = t("detail.photo", { position: image.position });
  return (
    <article
      id={`image-${image.id}`}
      tabIndex={-1}
      data-image={image.id}
      aria-label={name}
      className={cn(
        "scroll-mt-36 overflow-hidden rounded-2xl border bg-card shadow-card [content-visibility:auto] focus:outline-2 focus:outline-offset-2 focus:outline-accent md:scroll-mt-46 md:max-lg:scroll-mt-56",
        SHAPE[size],
        failed || image.error ? "border-bad/45" : "border-line",
      )}
    >
      <figure data-lane="photo">
        <SheetFrame image={image} sheet={sheet} isSmall={size === "small"} caption={caption} onOpen={open} />
        <figcaption className="flex min-h-11 flex-wrap items-center gap-x-2 gap-y-1 border-t border-line px-3 py-1.5 text-xs text-mute tabular-nums">
          {name}
          {size === "small" ? (
            <SheetMarks image={image} />
          ) : (
            <>
              <SheetTabs sheet={sheet} />
              <span className="ml-auto flex">
                <EditPhoto image={image} isDeliverable={isDeliverable} />
                {isDeliverable && (
                  <ForOperators>
                    <PhotoMenu orderNumber={orderNumber} image={image} />
                  </ForOperators>
                )}
                {sheet.views.length > 0 && (
                  <button
                    type="button"
                    className="icon-button"
                    onClick={open}
                    aria-label={t("detail.view.open", { what: caption })}
                    title={t("detail.view.open", { what: caption })}
                  >
                    <Icon name="expand" />
                  </button>
                )}
              </span>
            </>
          )}
        </figcaption>
      </figure>
      {size !== "small" && (
        <div
          className={cn(
            "grid min-w-0 grid-cols-[minmax(0,1fr)] divide-y divide-line border-t border-line",
            size === "large" && "lg:border-t-0 lg:border-l",
          )}
        >
          <PhotoNotes image={image} />
          <Lane kind="coloring" {...lane}>
            {isDeliverable && (
              <Approval orderNumber={orderNumber} image={image} versionId={sheet.shown("coloring")?.id} />
            )}
          </Lane>
          <Lane kind="svg" {...lane} />
        </div>
      )}
    </article>
  );
});

/** Registers the card's actions for the keyboard shortcuts. */
function useRegistration(
  register: CardRegister,
  image: OrderImage,
  actions: Pick<ImageActions, "generate" | "choose"> & Pick<CardCommands, "view" | "approve" | "edit">,
): void {
  // Before the next key: an effect after the paint would let it use the commands of the former state.
  useLayoutEffect(() => {
    register.set(image.id, {
      generate: actions.generate,
      chooseAt: (kind, place) => {
        const version = versionsOf(image, kind)[place - 1];
        if (version) actions.choose(kind, version.id);
      },
      view: actions.view,
      approve: actions.approve,
      edit: actions.edit,
    });
    return () => {
      register.delete(image.id);
    };
  });
}

/** What is wrong with the photo, or that it is not the one as it came. */
function PhotoNotes({ image }: { image: OrderImage }) {
  const { t } = useLanguage();
  const page = chosenVersion(image, "coloring");
  // Without any picture the frame says it.
  const hasFailure = image.error && (photoOf(image) !== null || page?.url);
  if (!hasFailure && !image.original_url && !page?.photo_changed) return null;
  return (
    <div className="grid justify-items-start gap-2 px-3 py-2.5 text-[13px] text-mute">
      {hasFailure && <PhotoFailure image={image} className="w-full rounded-[10px] px-3 py-2" />}
      {image.original_url && (
        <a href={image.original_url} target="_blank" rel="noreferrer" className="underline">
          {t("photo.original")}
        </a>
      )}
      {page?.photo_changed && <p className="text-run">{t("photo.changed.hint")}</p>}
    </div>
  );
}
