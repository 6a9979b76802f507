import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { selectionAfter, withImage } from "@/components/order/cached-order";
import type { Order, OrderImage } from "@/components/order/model";
import { useLanguage } from "@/i18n/context";
import * as api from "@/lib/api";
import { failureSentence, failureTone } from "@/lib/failure";
import { orderKey } from "@/lib/orderQuery";
import { dismissAllToasts, showToast } from "@/lib/toasts";
import type { Decided, ImageState, Place } from "./queue";

interface Subject {
  orderNumber: string;
  image: OrderImage;
}

interface Decision extends Subject {
  kind: "approve" | "sendBack";
  versionId: number;
  /** Whether the server accepted it. */
  accepted: Promise<boolean>;
}

export interface Decisions {
  /** Images whose decision is on its way. */
  decided: Decided;
  /** The states of images whose requests are on their way, whatever the server sends meanwhile. */
  pending: ReadonlyMap<number, ImageState>;
  canUndo: boolean;
  approve: (subject: Subject, versionId: number) => void;
  sendBack: (subject: Subject, reason: string) => void;
  lift: (subject: Subject) => void;
  undo: () => void;
}

/**
 * Approves, sends back and undoes at once on screen; the requests for one image follow each other. A refusal
 * shows the server's state again, and offers to return to the image.
 */
export function useDecisions(show: (place: Place) => void): Decisions {
  const [history, setHistory] = useState<readonly Decision[]>([]);
  const { pending, run } = useImageRequests(show);

  const decide = (decision: Omit<Decision, "accepted">, accepted: Promise<boolean>): void => {
    const entry = { ...decision, accepted };
    setHistory((before) => [...before, entry]);
    void accepted.then((isAccepted) => {
      if (!isAccepted) setHistory((before) => before.filter((other) => other !== entry));
    });
  };

  return {
    decided: new Set([...pending].filter(([, { isDecision }]) => isDecision).map(([id]) => id)),
    pending,
    canUndo: history.length > 0,
    approve: (subject, versionId) => {
      const { image } = subject;
      const selected_version_ids = selectionAfter(image, "coloring", versionId);
      const approved = { ...image, selected_version_ids, approved_at: new Date().toISOString() };
      decide(
        { ...subject, kind: "approve", versionId },
        run(subject, approved, () => api.approveImage(image.id, versionId), true),
      );
    },
    sendBack: (subject, reason) => {
      const { image } = subject;
      const versionId = image.selected_version_ids.coloring;
      if (versionId === null) return;
      const after = { ...image, selected_version_ids: { coloring: null, svg: null }, rework_reason: reason };
      decide(
        { ...subject, kind: "sendBack", versionId },
        run(subject, after, () => api.sendBackImage(image.id, versionId, reason), true),
      );
    },
    lift: (subject) => {
      const after = { ...subject.image, approved_at: null };
      void run(subject, after, () => api.liftApproval(subject.image.id));
    },
    undo: () => {
      const last = history.at(-1);
      if (!last) return;
      dismissAllToasts();
      setHistory(history.slice(0, -1));
      show({ orderNumber: last.orderNumber, imageId: last.image.id });
      void run(last, last.image, () => takeBack(last));
    },
  };
}

/** Restores what was before a decision; nothing if the server refused it. */
async function takeBack({ kind, orderNumber, image, versionId, accepted }: Decision): Promise<OrderImage> {
  if (await accepted) {
    const before = image.selected_version_ids.coloring;
    if (kind === "approve") await api.liftApproval(image.id);
    if (before !== null && (kind === "sendBack" || before !== versionId))
      await api.selectColoring(image.id, before);
  }
  return api.fetchImage(orderNumber, image.id);
}

interface Pending extends ImageState {
  orderNumber: string;
  isDecision: boolean;
}

/** Sends requests that change images, those for one image after each other, with the result shown at once. */
function useImageRequests(show: (place: Place) => void) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const [pending, setPending] = useState<ReadonlyMap<number, Pending>>(new Map());
  const lines = useRef(new Map<number, Promise<boolean>>());
  const running = useRef(new Map<string, number>());

  const put = (orderNumber: string, image: OrderImage): void => {
    queries.setQueryData<Order>(
      orderKey(orderNumber),
      (order) => order && withImage(order, image.id, () => image),
    );
  };
  const ended = async (orderNumber: string): Promise<void> => {
    const isLast = () => (running.current.get(orderNumber) ?? 0) === 0;
    running.current.set(orderNumber, (running.current.get(orderNumber) ?? 1) - 1);
    if (!isLast()) return;
    // An order that was fetched in between may be older than the last response.
    await queries.invalidateQueries({ queryKey: orderKey(orderNumber) });
    if (isLast()) settle((state) => state.orderNumber === orderNumber);
  };
  const settle = (isOver: (state: Pending) => boolean): void => {
    setPending((before) => new Map([...before].filter(([, state]) => !isOver(state))));
  };

  const run = (
    { orderNumber, image }: Subject,
    after: OrderImage,
    act: () => Promise<OrderImage>,
    isDecision = false,
  ): Promise<boolean> => {
    const previous = lines.current.get(image.id) ?? Promise.resolve(true);
    running.current.set(orderNumber, (running.current.get(orderNumber) ?? 0) + 1);
    const { approved_at = null, selected_version_ids, rework_reason = null } = after;
    const state = { orderNumber, approved_at, selected_version_ids, rework_reason, isDecision };
    setPending((before) => new Map(before).set(image.id, state));
    const work = (async () => {
      await previous;
      try {
        put(orderNumber, await act());
        return true;
      } catch (error) {
        const text = t("review.refused", { number: orderNumber, position: image.position });
        const back = { text: t("review.refused.show"), run: () => again() };
        showToast(`${text} ${failureSentence(error, t)}`, failureTone(error), back);
        settle((other) => other === state);
        return false;
      } finally {
        await ended(orderNumber);
      }
    })();
    const again = (): void => {
      dismissAllToasts();
      show({ orderNumber, imageId: image.id });
    };
    lines.current.set(image.id, work);
    return work;
  };
  return { pending, run };
}
