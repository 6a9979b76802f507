import { useText } from "@/i18n";
import { useImageActions, type OptionsToSend } from "./actions";
import { Frame, Lane } from "./Lane";
import type { OrderImage, Timeline } from "./model";
import { Picture } from "./Picture";
import { chosenVersion, newestVersion } from "./versions";
import type { View } from "./Viewer";
import { Wipe } from "./Wipe";

interface ImageCardProps {
  orderNumber: string;
  image: OrderImage;
  options: OptionsToSend;
  timeline: Timeline | undefined;
  onView: (view: View) => void;
}

/** One photo with the page and the SVG made from it. */
export function ImageCard({ orderNumber, image, options, timeline, onView }: ImageCardProps) {
  const t = useText();
  const actions = useImageActions(orderNumber, image, options);
  const failed = (["coloring", "svg"] as const).some((kind) => newestVersion(image, kind)?.status === "error");
  const lane = { image, timeline, actions };
  return (
    <article
      tabIndex={-1}
      data-image={image.id}
      aria-label={t("order.photo", { position: image.position })}
      className={`scroll-mt-32 overflow-hidden rounded-2xl border bg-card shadow-card focus:outline-2 focus:outline-offset-2 focus:outline-accent ${failed || image.error ? "border-bad/45" : "border-line"}`}
    >
      <div className="grid gap-px bg-line md:grid-cols-3">
        <PhotoLane image={image} onView={onView} />
        <Lane kind="coloring" {...lane} onView={() => onView("coloring")} />
        <Lane kind="svg" {...lane} onView={() => onView("svg")} />
      </div>
    </article>
  );
}

function PhotoLane({ image, onView }: { image: OrderImage; onView: (view: View) => void }) {
  const t = useText();
  const name = t("order.photo", { position: image.position });
  const page = chosenVersion(image, "coloring");
  const caption = page?.url ? `${name} ↔ ${t("order.page")} v${page.version}` : name;
  return (
    <section className="flex min-w-0 flex-col bg-card">
      <Frame caption={caption}>
        <Photo image={image} name={name} />
        {image.url !== null && (
          <button
            type="button"
            onClick={() => onView(page?.url ? "compare" : "photo")}
            aria-label={t("order.view.open", { what: name })}
            title={t("order.view.open", { what: name })}
            className="absolute top-2 right-2 grid size-9 place-items-center rounded-[8px] bg-[rgb(20_18_15/0.74)] text-white hover:bg-black"
          >
            <svg viewBox="0 0 24 24" className="size-4.5" fill="none" stroke="currentColor" strokeWidth="2" aria-hidden>
              <path d="M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5" strokeLinecap="round" strokeLinejoin="round" />
            </svg>
          </button>
        )}
      </Frame>
      <p className="hidden p-3 text-[13px] text-mute md:block">{page?.url ? t("order.wipe.hint") : ""}</p>
    </section>
  );
}

function Photo({ image, name }: { image: OrderImage; name: string }) {
  const t = useText();
  const page = chosenVersion(image, "coloring");
  if (image.error) {
    return (
      <div role="status" className="grid size-full place-content-center gap-1 bg-bad-soft p-6 text-center text-[13px] text-bad">
        <b className="font-semibold">{t("order.photo.failed")}</b> {image.error.message}
      </div>
    );
  }
  if (image.url === null) {
    return (
      <p className="grid size-full animate-breathe place-items-center bg-soft p-6 text-[13px] text-mute">
        {t("order.photo.waiting")}
      </p>
    );
  }
  if (!page?.url) return <Picture src={image.url} alt={name} small />;
  return (
    <Wipe photo={image.url} page={page.url} photoAlt={name} pageAlt={`${t("order.kind.coloring")} v${page.version}`} small />
  );
}
