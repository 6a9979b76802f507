/** Requests about the edit of a photo. */
import type { components } from "@/api/schema";
import { client, unwrap } from "@/api/client";
import type { PhotoEdit } from "./photoEdit";

export type PhotoEditState = components["schemas"]["PhotoEditState"];

/** An edit as it was read; `etag` makes a change of it fail with 412 if it was changed meanwhile. */
export interface ReadPhotoEdit {
  state: PhotoEditState;
  etag: string;
}

export async function fetchPhotoEdit(orderNumber: string, imageId: number): Promise<ReadPhotoEdit> {
  const params = { path: { order_number: orderNumber, image_id: imageId } };
  const answer = client.GET("/api/v1/orders/{order_number}/images/{image_id}/edit", { params });
  const state = await unwrap(answer);
  return { state, etag: (await answer).response.headers.get("ETag") ?? "*" };
}

/** Save all parameters of the edit. */
export function savePhotoEdit(
  orderNumber: string,
  { state, etag }: ReadPhotoEdit,
  edit: PhotoEdit,
): Promise<PhotoEditState> {
  const params = { path: { order_number: orderNumber, image_id: state.id }, header: { "if-match": etag } };
  return unwrap(client.PATCH("/api/v1/orders/{order_number}/images/{image_id}/edit", { params, body: edit }));
}
