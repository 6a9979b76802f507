import * as Dialog from "@radix-ui/react-dialog";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { PauseBanner } from "@/components/PauseBanner";
import { ReasonQuestion } from "@/components/ReasonDialog";
import { LoadFailure } from "@/components/LoadFailure";
import type { OrderImage } from "@/components/order/model";
import { usePictureSizes, usePreloadedFiles } from "@/components/order/usePictureSizes";
import { useZoom } from "@/components/order/useZoom";
import { Toasts } from "@/components/Toasts";
import { useOrderEvents } from "@/hooks/useOrderEvents";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import type { OrderFilter } from "@/lib/api";
import { orderQuery } from "@/lib/orderQuery";
import { presetsQuery } from "@/lib/presetsQuery";
import { sharedExtent } from "./Pane";
import { filesToShow, Pictures } from "./Pictures";
import * as order from "./queue";
import { AllReviewed } from "./AllReviewed";
import { ReviewActions } from "./ReviewActions";
import { OrderLine, ReviewHead } from "./ReviewHead";
import { useCandidate } from "./useCandidate";
import { useDecisions } from "./useDecisions";
import { usePick } from "./usePick";
import { REVIEW_PRESETS, useReviewKeys, type ReviewCommands } from "./useReviewKeys";
import { useLoading, useReviewQueue } from "./useReviewQueue";

/** Pictures of so many images are loaded in advance. */
const PRELOADED = 3;

interface ReviewProps {
  filter: OrderFilter;
  /** Number of the order to begin with. */
  from: string | null;
  listPath: string;
}

function OrderEvents({ orderNumber }: { orderNumber: string }) {
  useOrderEvents(orderNumber);
  return null;
}

/** One image after another over all orders of the filter; every hook works without an image, too. */
export function Review({ filter, from, listPath }: ReviewProps) {
  const { t } = useLanguage();
  const review = useReviewQueue(filter, from);
  const [wanted, setWanted] = useState<order.Place | null>(
    from ? { orderNumber: from, imageId: null } : null,
  );
  const decisions = useDecisions(setWanted);
  const { decided } = decisions;
  const queue = order.withPending(review.queue, decisions.pending);
  const place = order.settle(queue, wanted, decided);
  // What is shown stays, even if another user approves it or the order leaves the filter.
  if (place?.orderNumber !== wanted?.orderNumber || place?.imageId !== wanted?.imageId) setWanted(place);
  const images = queue.find((one) => one.orderNumber === place?.orderNumber)?.images;
  const image = images?.find((one) => one.id === place?.imageId);
  const next = place ? order.nextOrder(queue, place, decided) : undefined;
  useLoading(review, [place?.orderNumber, next]);
  const left = order.leftOf(queue, decided);
  const head = { left, hasMore: review.hasMore, listPath };
  const live = [...new Set([place?.orderNumber, next])].filter((number) => number !== undefined);
  const isLoading = review.isPending || (place !== null && !images);
  return (
    <div data-review className="flex h-dvh flex-col overflow-hidden bg-paper text-ink">
      <PauseBanner />
      {live.map((number) => (
        <OrderEvents key={number} orderNumber={number} />
      ))}
      {place && image ? (
        <Shown
          place={place}
          image={image}
          queue={queue}
          decisions={decisions}
          onShow={setWanted}
          head={head}
        />
      ) : (
        <>
          <ReviewHead {...head} />
          <main id="main" className="grid flex-1 place-items-center p-4">
            {review.error ? (
              <LoadFailure
                heading="h1"
                title={t("review.failed")}
                error={review.error}
                onRetry={review.retry}
              />
            ) : (
              !isLoading && <AllReviewed listPath={listPath} decisions={decisions} />
            )}
          </main>
        </>
      )}
      <Toasts />
    </div>
  );
}

interface ShownProps {
  place: order.Place;
  image: OrderImage;
  queue: order.Queue;
  decisions: ReturnType<typeof useDecisions>;
  onShow: (place: order.Place | null) => void;
  head: { left: number; hasMore: boolean; listPath: string };
}

/** One image with its candidates and what can be done about it. */
function Shown({ place, image, queue, decisions, onShow, head }: ShownProps) {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const canEdit = useCanEdit();
  const { data: presets } = useQuery(presetsQuery);
  const { data: whole } = useQuery({ ...orderQuery(place.orderNumber), enabled: false });
  const [asksReason, setAsksReason] = useState(false);
  const [picked, pick] = usePick(image);
  const { orderNumber } = place;
  const { decided } = decisions;
  const candidates = order.candidatesOf(image);
  const page = candidates.find((one) => one.id === picked);
  const isApproved = Boolean(image.approved_at) && !decided.has(image.id);
  const canSendBack = !isApproved && image.selected_version_ids.coloring !== null;
  const make = useCandidate(orderNumber, image);

  const files = filesToShow(image, picked);
  const sizes = usePictureSizes();
  const size = sizes.get(page?.url ?? files[0] ?? "");
  const zoom = useZoom(String(image.id), sharedExtent(size));
  const later = order.upcoming(queue, place, decided, PRELOADED);
  const isReady = files.every((file) => sizes.get(file)?.isFull);
  usePreloadedFiles(
    later.flatMap((one) => filesToShow(one, order.defaultPick(one))),
    isReady,
    sizes,
  );

  const goOn = (): void => onShow(order.nextPlace(queue, place, new Set(decided).add(image.id)));
  const show = (target: order.Place | null): void => {
    if (target) onShow(target);
  };
  const commands: ReviewCommands = {
    approve: () => {
      if (!isApproved && !page) return;
      if (!isApproved && page) decisions.approve({ orderNumber, image }, page.id);
      goOn();
    },
    sendBack: () => setAsksReason(canSendBack),
    undo: decisions.undo,
    make: isApproved ? () => undefined : make,
    pick: (at) => {
      const candidate = candidates[at - 1];
      if (candidate && !isApproved) pick(candidate.id);
    },
    step: (by) => show(order.stepFrom(queue, place, by)),
    turn: (by) => show(order.turnFrom(queue, place, by)),
    leave: () => void navigate(head.listPath),
    zoom,
    pan: zoom.pan,
  };
  // All until the API has listed its presets: a request waits for them.
  const offered = REVIEW_PRESETS.map(({ preset }) => preset).filter(
    (name) => presets?.items.some((item) => item.name === name) ?? true,
  );
  useReviewKeys(commands, offered, canEdit);
  const images = queue.find((one) => one.orderNumber === orderNumber)?.images ?? [];
  const position = `${images.findIndex((one) => one.id === image.id) + 1} / ${images.length}`;
  return (
    <>
      <ReviewHead {...head}>
        <OrderLine
          orderNumber={orderNumber}
          customer={whole?.customer_name}
          position={position}
          onTurn={commands.turn}
          hasPrevious={order.turnFrom(queue, place, -1) !== null}
          hasNext={order.turnFrom(queue, place, 1) !== null}
        />
      </ReviewHead>
      <main id="main" data-image={image.id} className="flex min-h-0 flex-1 flex-col gap-2">
        <Notes image={image} isApproved={isApproved} />
        <Pictures
          image={image}
          picked={picked}
          onPick={canEdit && !isApproved ? pick : undefined}
          zoom={zoom}
          sizes={sizes}
        />
      </main>
      {canEdit && (
        <ReviewActions
          commands={commands}
          presets={offered}
          version={page?.version}
          isApproved={isApproved}
          canSendBack={canSendBack}
          canUndo={decisions.canUndo}
          onLift={() => decisions.lift({ orderNumber, image })}
        />
      )}
      <Dialog.Root open={asksReason} onOpenChange={setAsksReason}>
        <ReasonQuestion
          label={t("review.sendBack")}
          title={t("review.sendBack.title", { position: image.position })}
          text={t("review.sendBack.text")}
          field={t("review.sendBack.reason")}
          onReason={(reason) => {
            decisions.sendBack({ orderNumber, image }, reason);
            goOn();
          }}
          onClose={() => setAsksReason(false)}
        />
      </Dialog.Root>
    </>
  );
}

/** Who approved the page, or why it was sent back. */
function Notes({ image, isApproved }: { image: OrderImage; isApproved: boolean }) {
  const { t } = useLanguage();
  const by = image.approved_by;
  const approved = by && by !== "open" ? t("review.approvedBy", { name: by }) : t("review.approved");
  if (!isApproved && !image.rework_reason) return null;
  return (
    <p className="mx-2 shrink-0 rounded-[10px] bg-soft px-3 py-1.5 text-[13px] break-words sm:mx-4">
      {isApproved ? (
        <span data-approved>{approved}</span>
      ) : (
        t("review.sentBack", { reason: image.rework_reason ?? "" })
      )}
    </p>
  );
}
