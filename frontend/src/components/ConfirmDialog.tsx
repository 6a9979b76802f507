import * as Dialog from "@radix-ui/react-dialog";
import type { ReactNode } from "react";

/** The look of a button that takes something away for good. */
export const DANGER = "border-bad bg-bad text-white hover:bg-bad/85 dark:text-[#1d1b18]";

interface ConfirmDialogProps {
  title: string;
  text: string;
  /** What stands between the text and the answers. */
  notice?: ReactNode;
  /** The answers, as buttons; one that closes the question is a `Dialog.Close`. */
  children: ReactNode;
}

/** What is asked before something is done; to be opened and closed by the `Dialog.Root` around it. */
export function ConfirmDialog({ title, text, notice, children }: ConfirmDialogProps) {
  return (
    <Dialog.Portal>
      <Dialog.Overlay className="fixed inset-0 z-40 bg-[#1d1b18]/40" />
      <Dialog.Content className="fixed top-1/2 left-1/2 z-50 w-[min(26rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 rounded-2xl border border-line bg-card p-5 shadow-float">
        <Dialog.Title className="text-base font-semibold">{title}</Dialog.Title>
        <Dialog.Description className="mt-1.5 text-mute">{text}</Dialog.Description>
        {notice}
        <div className="mt-5 flex justify-end gap-2">{children}</div>
      </Dialog.Content>
    </Dialog.Portal>
  );
}
