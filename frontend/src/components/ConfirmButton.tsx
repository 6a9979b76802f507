import * as Dialog from "@radix-ui/react-dialog";
import { cn } from "@/lib/cn";
import { DANGER, ConfirmDialog } from "./ConfirmDialog";

interface ConfirmButtonProps {
  text: string;
  /** What a screen reader says, where `text` alone does not tell what it is about. */
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

/** A button that asks before it does what it says. */
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
