import * as Dialog from "@radix-ui/react-dialog";
import { cn } from "@/lib/cn";

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
export function ConfirmButton({ text, label, disabled, className, ...dialog }: ConfirmButtonProps) {
  return (
    <Dialog.Root>
      <Dialog.Trigger className={className} disabled={disabled} aria-label={label}>
        {text}
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-[#1d1b18]/40" />
        <Question {...dialog} />
      </Dialog.Portal>
    </Dialog.Root>
  );
}

type QuestionProps = Omit<ConfirmButtonProps, "text" | "label" | "disabled" | "className">;

function Question({ title, question, confirm, keep, danger = false, onConfirm }: QuestionProps) {
  return (
    <Dialog.Content className="fixed top-1/2 left-1/2 z-50 w-[min(26rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 rounded-2xl border border-line bg-card p-5 shadow-float">
      <Dialog.Title className="text-base font-semibold">{title}</Dialog.Title>
      <Dialog.Description className="mt-1.5 text-mute">{question}</Dialog.Description>
      <div className="mt-5 flex justify-end gap-2">
        <Dialog.Close className="button">{keep}</Dialog.Close>
        <Dialog.Close
          className={cn(
            "button",
            danger ? "border-bad bg-bad text-white hover:bg-bad/85 dark:text-[#1d1b18]" : "button-primary",
          )}
          onClick={onConfirm}
        >
          {confirm}
        </Dialog.Close>
      </div>
    </Dialog.Content>
  );
}
