import * as Dialog from "@radix-ui/react-dialog";
import { lazy, Suspense, useRef, useState } from "react";
import { useLanguage } from "@/i18n/context";
import type { Order } from "./model";

const BookDialog = lazy(() => import("@/components/book/BookDialog"));

/** Opens the printed book of an order; a jump from there goes to a photo or an item of this page. */
export function BookButton({ order }: { order: Order }) {
  const { t } = useLanguage();
  const [open, setOpen] = useState(false);
  const target = useRef<string>(undefined);
  const onJump = (elementId: string) => {
    target.current = elementId;
    setOpen(false);
  };
  const onCloseAutoFocus = (event: Event) => {
    const element = target.current && document.getElementById(target.current);
    target.current = undefined;
    if (!element) return;
    event.preventDefault();
    element.scrollIntoView({ block: "start" });
    element.focus({ preventScroll: true });
  };
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger className="button button-small">{t("book.open")}</Dialog.Trigger>
      {open && (
        <Suspense>
          <BookDialog order={order} onJump={onJump} onCloseAutoFocus={onCloseAutoFocus} />
        </Suspense>
      )}
    </Dialog.Root>
  );
}
