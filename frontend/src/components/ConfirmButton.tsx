import * as Dialog from "@radix-ui/react-dialog";
import { cn } from "@/lib/cn";
import { DANGER, ConfirmDialog } from "./ConfirmDialog";

interface ConfirmButtonProps {
  text: string;
  /** Accessible name, if `text` is ambiguous without its context. */
  label?: string;
  title: string;
  question: string;
  confirm: string;
  keep: string;
  danger?: boolean;
  disabled?: boolean;
  className?: string;
  onConfirm: () => void;
}

/** A button that asks for confirmation. */
export function ConfirmButton({
  text,
  label,
  title,
  question,
  confirm,
  keep,
  danger = false,
  disabled,
  className,
  onConfirm,
}: ConfirmButtonProps) {
  return (
    <Dialog.Root>
      <Dialog.Trigger className={className} disabled={disabled} aria-label={label}>
        {text}
      </Dialog.Trigger>
      <ConfirmDialog title={title} text={question}>
        <Dialog.Close className="button">{keep}</Dialog.Close>
        <Dialog.Close className={cn("button", danger ? DANGER : "button-primary")} onClick={onConfirm}>
          {confirm}
        </Dialog.Close>
      </ConfirmDialog>
    </Dialog.Root>
  );
}
