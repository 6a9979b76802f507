import { queryOptions, type QueryClient } from "@tanstack/react-query";
import { ApiError } from "@/api/client";
import { fetchImage, fetchOrder, fetchOrderRow } from "./api";
import { RequestSequence } from "./requestSequence";
import type { Image, Order } from "@/types";

/** Requests for images, alone or within their order, by image id; held while a shown change is being stored. */
export const imageRequests = new RequestSequence<number>();

export function orderKey(orderNumber: string) {
  return ["order", orderNumber] as const;
}

/** `order` with each image mapped by `replace`. */
export function mapImages(order: Order, replace: (image: Image) => Image): Order {
  const lineItems = order.line_items.map((item) => ({ ...item, images: item.images.map(replace) }));
  return { ...order, line_items: lineItems };
}

function imagesOf(order: Order | undefined): Map<number, Image> {
  const images = order?.line_items.flatMap((item) => item.images) ?? [];
  return new Map(images.map((image) => [image.id, image]));
}

/** One order; images that were fetched by later requests meanwhile are kept. */
export function orderQuery(orderNumber: string) {
  return queryOptions({
    queryKey: orderKey(orderNumber),
    queryFn: async ({ client, signal }) => {
      const request = imageRequests.next();
      const fresh = await fetchOrder(orderNumber, signal);
      const known = imagesOf(client.getQueryData<Order>(orderKey(orderNumber)));
      return mapImages(fresh, (image) =>
        imageRequests.accept(image.id, request) ? image : (known.get(image.id) ?? image),
      );
    },
  });
}

/** Whether a request failed because the order does not exist, which is not an error. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/**
 * Refetch the order if it was deleted or restored. Checks its row of the list, which is small even for large
 * orders.
 */
export async function recheckOrder(client: QueryClient, orderNumber: string): Promise<void> {
  const row = await fetchOrderRow(orderNumber).catch((error: unknown) => {
    if (isGone(error)) return null;
    throw error;
  });
  const known = !isGone(client.getQueryState(orderKey(orderNumber))?.error);
  if ((row !== null) !== known) await client.invalidateQueries({ queryKey: orderKey(orderNumber) });
}

/** Fetch one image and merge it into the cached order, unless a newer response arrived meanwhile. */
export async function refreshImage(client: QueryClient, orderNumber: string, imageId: number): Promise<void> {
  const request = imageRequests.next();
  const fresh = await fetchImage(orderNumber, imageId);
  if (!imageRequests.accept(imageId, request)) return;
  client.setQueryData<Order>(
    orderKey(orderNumber),
    (order) => order && mapImages(order, (image) => (image.id === imageId ? fresh : image)),
  );
}
