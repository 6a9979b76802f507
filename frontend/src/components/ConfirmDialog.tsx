import * as Dialog from "@radix-ui/react-dialog";
import type { ReactNode } from "react";
import { ModalContent } from "./ModalContent";

/** Class names of a button with an irreversible action. */
export const DANGER = "border-bad bg-bad text-white hover:bg-bad/85 dark:text-[#1d1b18]";

interface ConfirmDialogProps {
  title: string;
  text: string;
  /** Content between the text and the buttons. */
  notice?: ReactNode;
  /** The buttons; those that close the dialog are a `Dialog.Close`. */
  children: ReactNode;
}

/** The content of a confirmation dialog; the parent renders the `Dialog.Root`. */
export function ConfirmDialog({ title, text, notice, children }: ConfirmDialogProps) {
  return (
    <Dialog.Portal>
      <Dialog.Overlay className="fixed inset-0 z-40 bg-[#1d1b18]/40" />
      <ModalContent className="fixed top-1/2 left-1/2 z-50 w-[min(26rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 rounded-2xl border border-line bg-card p-5 shadow-float">
        <Dialog.Title className="text-base font-semibold">{title}</Dialog.Title>
        <Dialog.Description className="mt-1.5 text-mute">{text}</Dialog.Description>
        {notice}
        <div className="mt-5 flex justify-end gap-2">{children}</div>
      </ModalContent>
    </Dialog.Portal>
  );
}
