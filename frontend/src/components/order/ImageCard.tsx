import { memo, useEffect } from "react";
import { FailureText } from "@/components/FailureText";
import { Icon } from "@/components/Icon";
import { ForOperators } from "@/components/session/ForOperators";
import { useLanguage } from "@/i18n/context";
import { useImageActions, type ImageActions, type OptionsToSend } from "./actions";
import { Approval } from "./Approval";
import { useApproval } from "./approvals";
import { EditPhoto } from "@/components/photo/EditPhoto";
import { usePhotoEditing } from "@/components/photo/editing";
import { Frame, Lane } from "./Lane";
import type { ColoringVersion, OrderImage } from "./model";
import { PhotoMenu } from "./PhotoMenu";
import { Picture } from "./Picture";
import type { CardCommands, CardRegister } from "./useCardKeys";
import { useCardOptions } from "./useCardOptions";
import { chosenVersion, hasFailed, isPhotoLost, photoOf, versionsOf } from "./versions";
import type { View, Viewed } from "./views";
import { CompareSlider } from "./CompareSlider";

interface ImageCardProps {
  orderNumber: string;
  image: OrderImage;
  /** False if the shop cancelled the order or removed the item. */
  isDeliverable?: boolean;
  options: OptionsToSend;
  register: CardRegister;
  onView: (viewed: Viewed) => void;
}

/**
 * One photo with its page and its SVG. Re-renders only when its own image or the options change. Off screen it
 * costs no layout (`content-visibility`), but shortcuts, find-in-page and anchors still find it.
 */
export const ImageCard = memo(function ImageCard({
  orderNumber,
  image,
  isDeliverable = true,
  options: shared,
  register,
  onView,
}: ImageCardProps) {
  const { t } = useLanguage();
  const options = useCardOptions(shared);
  const actions = useImageActions(orderNumber, image, options.toSend, isDeliverable);
  const view = (view: View, looked?: Viewed["looked"]): void =>
    onView({ imageId: image.id, view, ...(looked && { looked }) });
  const approval = useApproval(orderNumber, image);
  const { edit } = usePhotoEditing(image, isDeliverable);
  useRegistration(register, image, {
    ...actions,
    view: () => view(image.versions.coloring.length > 0 ? "coloring" : "photo"),
    approve: () => isDeliverable && approval.approve(),
    edit,
  });
  const failed = (["coloring", "svg"] as const).some((kind) => hasFailed(image, kind));
  const lane = { image, isDeliverable, actions, options };
  return (
    <article
      id={`image-${image.id}`}
      tabIndex={-1}
      data-image={image.id}
      aria-label={t("detail.photo", { position: image.position })}
      className={`scroll-mt-36 overflow-hidden rounded-2xl border bg-card shadow-card [contain-intrinsic-size:auto_1050px] [content-visibility:auto] focus:outline-2 focus:outline-offset-2 focus:outline-accent md:[contain-intrinsic-size:auto_430px] md:max-lg:scroll-mt-46 ${failed || image.error ? "border-bad/45" : "border-line"}`}
    >
      <div className="grid gap-px bg-line md:grid-cols-3">
        <PhotoLane orderNumber={orderNumber} image={image} isDeliverable={isDeliverable} onView={view} />
        <Lane
          kind="coloring"
          {...lane}
          onView={(id) => view("coloring", id === undefined ? undefined : { coloring: id })}
        >
          {(shown) =>
            isDeliverable && <Approval orderNumber={orderNumber} image={image} versionId={shown?.id} />
          }
        </Lane>
        <Lane kind="svg" {...lane} onView={(id) => view("svg", id === undefined ? undefined : { svg: id })} />
      </div>
    </article>
  );
});

/** Registers the card's actions for the keyboard shortcuts. */
function useRegistration(
  register: CardRegister,
  image: OrderImage,
  actions: Pick<ImageActions, "generate" | "choose"> & Pick<CardCommands, "view" | "approve" | "edit">,
): void {
  useEffect(() => {
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

interface PhotoLaneProps {
  orderNumber: string;
  image: OrderImage;
  isDeliverable: boolean;
  onView: (view: View) => void;
}

function PhotoLane({ orderNumber, image, isDeliverable, onView }: PhotoLaneProps) {
  const { t } = useLanguage();
  const name = t("detail.photo", { position: image.position });
  const page = chosenVersion(image, "coloring");
  const photo = photoOf(image);
  const comparing = Boolean(photo && !image.error && comparable(page));
  const caption = comparing && page ? `${name} ↔ ${t("detail.page")} v${page.version}` : name;
  return (
    <section className="flex min-w-0 flex-col bg-card">
      <Frame caption={caption}>
        <Photo image={image} name={name} />
        {photo !== null && (
          <button
            type="button"
            onClick={() => onView(comparing ? "compare" : "photo")}
            aria-label={t("detail.view.open", { what: name })}
            title={t("detail.view.open", { what: name })}
            className="absolute top-2 right-2 grid size-9 place-items-center rounded-[8px] bg-[rgb(20_18_15/0.74)] text-white hover:bg-black"
          >
            <Icon name="expand" className="size-4.5" />
          </button>
        )}
        {isDeliverable && (
          <ForOperators>
            <PhotoMenu orderNumber={orderNumber} image={image} />
          </ForOperators>
        )}
      </Frame>
      <div className="grid justify-items-start gap-2 p-3 text-[13px] text-mute">
        <EditPhoto image={image} isDeliverable={isDeliverable} />
        {page?.photo_changed && <p className="text-run">{t("photo.changed.hint")}</p>}
        {comparing && <p className="hidden md:block">{t("detail.wipe.hint")}</p>}
      </div>
    </section>
  );
}

/** The page lies over the photo that it was made from. */
const comparable = (page: ColoringVersion | undefined): boolean =>
  page !== undefined && page.url !== null && !page.photo_changed;

function Photo({ image, name }: { image: OrderImage; name: string }) {
  const { t } = useLanguage();
  const page = chosenVersion(image, "coloring");
  if (image.error) {
    return (
      <div
        role="status"
        className="grid size-full place-content-center gap-1 bg-bad-soft p-6 text-center text-[13px] text-bad"
      >
        <b className="font-semibold">{t(isPhotoLost(image) ? "detail.photo.lost" : "detail.photo.failed")}</b>{" "}
        <FailureText failure={image.error} />
      </div>
    );
  }
  if (image.url === null) {
    return (
      <p className="grid size-full animate-breathe place-items-center bg-soft p-6 text-[13px] text-mute">
        {t("detail.photo.waiting")}
      </p>
    );
  }
  if (!page?.url || page.photo_changed) return <Picture src={image.url} alt={name} small />;
  return (
    <CompareSlider
      photo={image.url}
      page={page.url}
      photoAlt={name}
      pageAlt={`${t("detail.kind.coloring")} v${page.version}`}
    />
  );
}
