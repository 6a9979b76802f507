import { useState, type ReactNode } from "react";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import type { ImageActions } from "./actions";
import { Generate } from "./Generate";
import type { Kind, OrderImage, SvgVersion, Version } from "./model";
import { VersionNotice } from "./VersionNotice";
import { Picture } from "./Picture";
import type { CardOptions } from "./useCardOptions";
import { useFocusFallback } from "./useFocusFallback";
import { chosenVersion, obstacleTo, pageOf, versionsOf, versionsToMention } from "./versions";
import { VersionStrip } from "./VersionStrip";

export interface LaneProps {
  image: OrderImage;
  isDeliverable: boolean;
  actions: ImageActions;
  options: CardOptions;
  onView: () => void;
}

interface FrameProps {
  caption: string;
  /** Low on a phone while no picture can be made yet. */
  low?: boolean;
  children: ReactNode;
}

/** The frame of one picture, its caption below it; its size does not change when the picture loads. */
export function Frame({ caption, low = false, children }: FrameProps) {
  return (
    <figure>
      <div
        className={cn(
          "relative aspect-4/3 overflow-hidden bg-white dark:bg-soft",
          low && "max-md:aspect-4/1",
        )}
      >
        {children}
      </div>
      <figcaption
        title={caption}
        className="truncate border-t border-line px-3 pt-2 text-xs text-mute tabular-nums"
      >
        {caption}
      </figcaption>
    </figure>
  );
}

/** The page or the SVG of a photo: the chosen picture, versions in progress, and all versions. */
export function Lane({ kind, ...props }: LaneProps & { kind: Kind }) {
  const { image, isDeliverable, actions, options } = props;
  const { t } = useLanguage();
  const fallback = useFocusFallback();
  const [opened, setOpened] = useState<number>();
  const chosen = chosenVersion(image, kind);
  const mentions = versionsToMention(versionsOf(image, kind), image.selected_version_ids[kind], opened);
  // A chosen version whose file was lost is always shown, even if another one is in progress.
  const inPlace = chosen?.url ? undefined : (mentions.find(({ id }) => id === chosen?.id) ?? mentions.at(-1));
  const notice = (version: Version, panel: boolean): ReactNode => (
    <VersionNotice
      key={version.id}
      kind={kind}
      version={version}
      busy={actions.isBusy(kind, version.id)}
      onCancel={() => actions.cancel(kind, version)}
      onRetry={() => actions.retry(kind, version)}
      panel={panel}
    />
  );
  return (
    <div
      ref={fallback}
      role="group"
      tabIndex={-1}
      aria-label={t(`detail.kind.${kind}`)}
      className="flex min-w-0 flex-col bg-card focus-visible:-outline-offset-2"
    >
      <LanePicture kind={kind} {...props} chosen={chosen} notice={inPlace && notice(inPlace, true)} />
      <div className="flex flex-1 flex-col gap-2.5 p-3">
        {mentions.filter((version) => version !== inPlace).map((version) => notice(version, false))}
        <VersionStrip
          image={image}
          kind={kind}
          opened={opened}
          onChoose={(id) => actions.choose(kind, id)}
          onOpenError={(id) => setOpened((before) => (before === id ? undefined : id))}
        />
        {isDeliverable && <Generate kind={kind} image={image} actions={actions} options={options} />}
      </div>
    </div>
  );
}

interface LanePictureProps extends LaneProps {
  kind: Kind;
  chosen: Version | undefined;
  notice: ReactNode;
}

function LanePicture({ kind, image, chosen, notice, onView }: LanePictureProps) {
  const { t } = useLanguage();
  const caption = useCaption(kind, image, chosen);
  return (
    <Frame caption={caption} low={!chosen?.url && !notice}>
      {chosen?.url ? (
        <button
          type="button"
          onClick={onView}
          aria-label={t("detail.view.open", { what: caption })}
          className="block size-full cursor-zoom-in bg-white focus-visible:-outline-offset-2"
        >
          <Picture src={chosen.url} alt={caption} small />
        </button>
      ) : (
        (notice ?? <EmptyLane kind={kind} image={image} />)
      )}
    </Frame>
  );
}

function useCaption(kind: Kind, image: OrderImage, chosen: Version | undefined): string {
  const { t } = useLanguage();
  if (!chosen) return t(`detail.kind.${kind}`);
  if (kind === "coloring") return `${t("detail.kind.coloring")} v${chosen.version}`;
  const page = pageOf(image, chosen as SvgVersion)?.version ?? "?";
  return `SVG v${chosen.version} · ${t("detail.svg.source", { version: page })}`;
}

function EmptyLane({ kind, image }: { kind: Kind; image: OrderImage }) {
  const { t } = useLanguage();
  // Viewers cannot do what the obstacle asks for.
  const obstacle = useCanEdit() ? obstacleTo(image, kind) : undefined;
  const unchosen = versionsOf(image, kind).some((version) => version.status === "completed");
  const text = unchosen
    ? t(`detail.unchosen.${kind}`)
    : t(obstacle ? `detail.obstacle.${obstacle}` : `detail.nothing.${kind}`);
  return (
    <p className="grid size-full place-items-center bg-soft p-6 text-center text-[13px] text-mute">{text}</p>
  );
}
