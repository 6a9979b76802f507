import { additionRequest, type Processing } from "@/lib/photoApi";
import { addUploads, lastUploadPosition } from "@/lib/uploads";
import type { LineItem } from "./model";

const STORE_ONLY: Processing = { process: "none", coloring: undefined };

/** Send photos to a line item, after those that it has, in this order. */
export function sendPhotos(
  orderNumber: string,
  item: Pick<LineItem, "id" | "images">,
  files: readonly File[],
  processing: Processing = STORE_ONLY,
): void {
  const last = Math.max(lastUploadPosition(item.id), ...item.images.map((image) => image.position));
  addUploads(
    files.map((file, index) => {
      const position = last + index + 1;
      const request = additionRequest(orderNumber, item.id, position, processing);
      return { orderNumber, lineItemId: item.id, file, position, request };
    }),
  );
}
