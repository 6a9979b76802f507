import * as Dialog from "@radix-ui/react-dialog";
import { ConfirmDialog, DANGER } from "@/components/ConfirmDialog";

interface DiscardQuestionProps {
  title: string;
  /** What would be lost. */
  text: string;
  keep: string;
  discard: string;
  open: boolean;
  onKeep: () => void;
  onDiscard: () => void;
}

/** Asks before work that is not saved is lost. */
export function DiscardQuestion({
  title,
  text,
  keep,
  discard,
  open,
  onKeep,
  onDiscard,
}: DiscardQuestionProps) {
  return (
    <Dialog.Root open={open} onOpenChange={(isOpen) => !isOpen && onKeep()}>
      <ConfirmDialog title={title} text={text}>
        <Dialog.Close className="button">{keep}</Dialog.Close>
        <button type="button" className={`button ${DANGER}`} onClick={onDiscard}>
          {discard}
        </button>
      </ConfirmDialog>
    </Dialog.Root>
  );
}
