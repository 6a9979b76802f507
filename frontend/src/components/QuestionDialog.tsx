import * as Dialog from "@radix-ui/react-dialog";
import type { Question } from "@/hooks/useQuestion";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { ConfirmDialog, DANGER } from "./ConfirmDialog";
import { ReasonQuestion } from "./ReasonDialog";

interface QuestionDialogProps {
  question: Question;
  /** The reason (empty without a field), or null if the question was closed. */
  onAnswer: (reason: string | null) => void;
}

/** An open question of `useQuestion`. */
export default function QuestionDialog({ question, onAnswer }: QuestionDialogProps) {
  const { t } = useLanguage();
  const { title, text, confirm, reason, isDangerous = false } = question;
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && onAnswer(null)}>
      {reason === undefined ? (
        <ConfirmDialog title={title} text={text}>
          <Dialog.Close className="button">{t("action.cancel")}</Dialog.Close>
          <button
            type="button"
            className={cn("button", isDangerous ? DANGER : "button-primary")}
            onClick={() => onAnswer("")}
          >
            {confirm}
          </button>
        </ConfirmDialog>
      ) : (
        <ReasonQuestion
          label={confirm}
          title={title}
          text={text}
          field={reason}
          onReason={onAnswer}
          onClose={() => undefined}
        />
      )}
    </Dialog.Root>
  );
}
