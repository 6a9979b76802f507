import { notifyManager, useMutation, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLanguage } from "@/i18n/context";
import * as api from "@/lib/api";
import { failureSentence, failureTone } from "@/lib/failure";
import type { ColoringOptions, OptionsToSend } from "@/lib/options";
import { imageRequests, orderKey } from "@/lib/orderQuery";
import { coloringToSend } from "@/lib/presetsQuery";
import { showToast } from "@/lib/toasts";
import { imagesOf, selectionAfter, deliverableImagesOf, withSelection, withVersion } from "./cached-order";
import type { Kind, Order, OrderImage, Version } from "./model";
import { isActive, obstacleTo } from "./versions";

export type { OptionsToSend };

/** Reports a failure and refetches, so that the page shows the server's state. */
function useFailed(orderNumber: string): (error: unknown) => void {
  const { t } = useLanguage();
  const queries = useQueryClient();
  return (error) => {
    showToast(failureSentence(error, t), failureTone(error));
    void queries.invalidateQueries({ queryKey: orderKey(orderNumber) });
  };
}

function change(queries: QueryClient, orderNumber: string, next: (order: Order) => Order): void {
  queries.setQueryData<Order>(orderKey(orderNumber), (order) => order && next(order));
}

interface Choice {
  kind: Kind;
  versionId: number;
}

/** Chooses a version optimistically; restores this image's old choice if the server refuses. */
function useChoose(orderNumber: string, imageId: number): (choice: Choice) => void {
  const queries = useQueryClient();
  const failed = useFailed(orderNumber);
  const name = `choose-${imageId}`;
  const { mutate } = useMutation({
    mutationKey: [name],
    scope: { id: name },
    mutationFn: ({ kind, versionId }: Choice) =>
      kind === "coloring" ? api.selectColoring(imageId, versionId) : api.selectSvg(imageId, versionId),
    onMutate: async ({ kind, versionId }) => {
      await queries.cancelQueries({ queryKey: orderKey(orderNumber) });
      const image = cachedImage(queries, orderNumber, imageId);
      if (!image) return undefined;
      const after = selectionAfter(image, kind, versionId);
      imageRequests.hold(imageId);
      change(queries, orderNumber, (order) => withSelection(order, imageId, after));
      return { before: image.selected_version_ids, after };
    },
    onError: (error, _choice, context) => {
      const shown = cachedImage(queries, orderNumber, imageId)?.selected_version_ids;
      // A later choice stays.
      if (context && shown?.coloring === context.after.coloring && shown.svg === context.after.svg)
        change(queries, orderNumber, (order) => withSelection(order, imageId, context.before));
      failed(error);
    },
    onSettled: async (_image, _error, _choice, context) => {
      if (context) imageRequests.release(imageId);
      // Only the last of several quick choices refetches, so that no earlier one reappears.
      if (queries.isMutating({ mutationKey: [name] }) > 1) return;
      await queries.invalidateQueries({ queryKey: orderKey(orderNumber) });
    },
  });
  return mutate;
}

function cachedImage(queries: QueryClient, orderNumber: string, imageId: number): OrderImage | undefined {
  const order = queries.getQueryData<Order>(orderKey(orderNumber));
  return order && imagesOf(order).find((image) => image.id === imageId);
}

/** Writes the version of a response into the cache, unless a hub event brought a newer state. */
function useVersionAnswer(orderNumber: string, imageId: number) {
  const queries = useQueryClient();
  return (kind: Kind, answer: Version, replaceable: (known: Version) => boolean) => {
    change(queries, orderNumber, (order) => withVersion(order, imageId, kind, answer, replaceable));
  };
}

export interface ImageActions {
  coloringOptions: ColoringOptions | undefined;
  isGenerating: (kind: Kind) => boolean;
  isBusy: (kind: Kind, versionId: number) => boolean;
  generate: (kind: Kind) => void;
  retry: (kind: Kind, version: Version) => void;
  cancel: (kind: Kind, version: Version) => void;
  choose: (kind: Kind, versionId: number) => void;
}

/** The actions for one image. Each version has its own busy state. */
export function useImageActions(
  orderNumber: string,
  image: OrderImage,
  options: OptionsToSend,
  isDeliverable = true,
): ImageActions {
  const [busy, setBusy] = useState<ReadonlySet<string>>(new Set());
  const queries = useQueryClient();
  const failed = useFailed(orderNumber);
  const answered = useVersionAnswer(orderNumber, image.id);
  const choose = useChoose(orderNumber, image.id);

  const once = async (name: string, act: () => Promise<void>): Promise<void> => {
    if (busy.has(name)) return;
    setBusy((before) => new Set(before).add(name));
    await act().catch(failed);
    // Only after the response is rendered: the old button must not become enabled again.
    notifyManager.schedule(() => setBusy((before) => new Set([...before].filter((other) => other !== name))));
  };

  const request = async (kind: Kind): Promise<Version | undefined> => {
    if (kind === "svg") return api.generateImageSvg(image.id, options.svg);
    const coloring = await coloringToSend(queries, options);
    return coloring && api.generateImageColoring(image.id, coloring);
  };

  return {
    coloringOptions: options.coloring,
    isGenerating: (kind) => busy.has(kind),
    isBusy: (kind, id) => busy.has(`${kind}/${id}`),
    generate: (kind) => {
      if (!isDeliverable || obstacleTo(image, kind)) return;
      void once(kind, async () => {
        const answer = await request(kind);
        if (answer) answered(kind, answer, () => false);
      });
    },
    retry: (kind, { id }) => {
      void once(`${kind}/${id}`, async () => {
        const answer = await (kind === "coloring" ? api.retryColoring(id) : api.retrySvg(id));
        answered(kind, answer, (known) => known.status === "error");
      });
    },
    cancel: (kind, { id }) => {
      void once(`${kind}/${id}`, async () => {
        const answer = await (kind === "coloring" ? api.cancelColoring(id) : api.cancelSvg(id));
        answered(kind, answer, isActive);
      });
    },
    choose: (kind, versionId) => {
      const version = image.versions[kind].find((candidate) => candidate.id === versionId);
      if (version?.status !== "completed" || image.selected_version_ids[kind] === versionId) return;
      choose({ kind, versionId });
    },
  };
}

/** Whether any image of the order can be generated. */
export const canGenerateAll = (order: Order, kind: Kind): boolean =>
  deliverableImagesOf(order).some((image) => obstacleTo(image, kind) === undefined);

/** *Color all* and *Vectorise all*; shows how many versions were started. */
export function useGenerateAll(orderNumber: string, kind: Kind, options: OptionsToSend) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const failed = useFailed(orderNumber);
  return useMutation({
    mutationFn: async (): Promise<Version[]> => {
      if (kind === "svg") return api.generateOrderSvg(orderNumber, options.svg);
      const coloring = await coloringToSend(queries, options);
      return coloring ? api.generateOrderColoring(orderNumber, coloring) : [];
    },
    onSuccess: async (versions) => {
      showToast(t(`detail.begun.${kind}`, { count: versions.length }));
      await queries.invalidateQueries({ queryKey: orderKey(orderNumber) });
    },
    onError: failed,
  });
}
