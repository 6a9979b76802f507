import { useId } from "react";
import { Icon } from "@/components/Icon";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { describeOptions } from "@/lib/describeOptions";
import { canRequestPages } from "@/lib/options";
import type { ImageActions } from "./actions";
import type { Kind, OrderImage } from "./model";
import { SvgFields } from "./OptionsBar";
import { OwnFields } from "./OwnFields";
import type { CardOptions } from "./useCardOptions";
import { obstacleTo, pageToVectorise, versionsOf } from "./versions";
import { describeSvgOptions } from "./VersionStrip";

interface GenerateProps {
  kind: Kind;
  image: OrderImage;
  actions: ImageActions;
  options: CardOptions;
}

/** Generates another version, with the toolbar's options or with this image's own. */
export function Generate({ kind, image, actions, options }: GenerateProps) {
  const { t } = useLanguage();
  const id = useId();
  const canEdit = useCanEdit();
  if (!canEdit || obstacleTo(image, kind)) return null;
  const form = options.formOf(kind);
  const name = t(`detail.options.${kind}`, { position: image.position });
  return (
    <div className="mt-auto grid grid-cols-[minmax(0,1fr)] gap-2.5">
      <div className="flex gap-1.5">
        <GenerateButton kind={kind} image={image} actions={actions} options={options} />
        <button
          type="button"
          className={cn("icon-button shrink-0", form && "bg-soft text-ink")}
          aria-label={name}
          title={name}
          aria-expanded={form !== undefined}
          aria-controls={id}
          onClick={() => options.setForm(kind, form ? undefined : options.begin())}
        >
          <Icon name="settings" />
        </button>
      </div>
      <div id={id} hidden={!form} className="flex flex-wrap gap-3 text-[13px] text-mute">
        {form && kind === "coloring" && (
          <OwnFields
            form={form}
            taken={options.toSend.taken}
            onChange={(next) => options.setForm(kind, next)}
          />
        )}
        {form && kind === "svg" && <SvgFields form={form} onChange={(next) => options.setForm(kind, next)} />}
      </div>
    </div>
  );
}

function GenerateButton({ kind, image, actions, options }: GenerateProps) {
  const { t } = useLanguage();
  const first = versionsOf(image, kind).length === 0;
  const { coloring } = options.toSend;
  return (
    <button
      type="button"
      className="button button-small h-auto min-h-8 min-w-0 flex-wrap gap-y-0 py-1 whitespace-normal aria-disabled:opacity-50"
      // Not `disabled` while busy: a disabled button loses the focus.
      aria-disabled={actions.isGenerating(kind)}
      disabled={kind === "coloring" && !canRequestPages(options.toSend)}
      onClick={() => actions.generate(kind)}
    >
      {t(first ? `detail.generate.${kind}` : `detail.again.${kind}`)}
      <span className="min-w-0 font-normal text-mute">
        {kind === "coloring" ? (
          coloring && describeOptions(coloring, t)
        ) : (
          <SvgDetail image={image} options={options} />
        )}
      </span>
    </button>
  );
}

/** The page that the SVG will be made from, and the options if they are this image's own. */
function SvgDetail({ image, options }: Pick<GenerateProps, "image" | "options">) {
  const { t } = useLanguage();
  const page = pageToVectorise(image);
  const own = options.formOf("svg") && describeSvgOptions(options.toSend.svg, t);
  return [page && t("detail.svg.source", { version: page.version }), own].filter(Boolean).join(" · ");
}
