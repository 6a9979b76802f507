import * as Dialog from "@radix-ui/react-dialog";
import { useState } from "react";

/**
 * The content of a modal dialog. When it closes, the focus returns to where it was before: Radix itself knows
 * only its trigger, and a key or another part of the page may have opened the dialog.
 */
export function ModalContent({ onCloseAutoFocus, ...props }: Dialog.DialogContentProps) {
  const [opener] = useState(() => document.activeElement);
  const returnFocus = (event: Event): void => {
    onCloseAutoFocus?.(event);
    if (event.defaultPrevented || !(opener instanceof HTMLElement) || !opener.isConnected) return;
    if (opener === document.body) return;
    event.preventDefault();
    // What the dialog did may have moved the focus on.
    if (document.activeElement === document.body) opener.focus();
  };
  return <Dialog.Content {...props} onCloseAutoFocus={returnFocus} />;
}
