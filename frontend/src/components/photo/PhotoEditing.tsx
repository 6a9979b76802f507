import { lazy, Suspense, useState, type ReactNode } from "react";
import { imagesOf } from "@/components/order/cached-order";
import type { Order } from "@/components/order/model";
import { PhotoEditingContext } from "./editing";

const PhotoEditor = lazy(() => import("./PhotoEditor"));

/** Lets what is inside open the editor of a photo of the order; it is loaded then. */
export function PhotoEditing({ order, children }: { order: Order; children: ReactNode }) {
  const [imageId, setImageId] = useState<number>();
  const image = imagesOf(order).find(({ id }) => id === imageId);
  return (
    <PhotoEditingContext value={setImageId}>
      {children}
      {image && (
        <Suspense>
          <PhotoEditor
            key={image.id}
            orderNumber={order.order_number}
            image={image}
            onClose={() => setImageId(undefined)}
          />
        </Suspense>
      )}
    </PhotoEditingContext>
  );
}
