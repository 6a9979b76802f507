import * as Dialog from "@radix-ui/react-dialog";
import { ConfirmDialog, DANGER } from "@/components/ConfirmDialog";
import { useLanguage } from "@/i18n/context";

interface DiscardQuestionProps {
  /** Number of photos that would be lost. */
  count: number;
  open: boolean;
  onKeep: () => void;
  onDiscard: () => void;
}

/** Asks before chosen photos are lost. */
export function DiscardQuestion({ count, open, onKeep, onDiscard }: DiscardQuestionProps) {
  const { t } = useLanguage();
  return (
    <Dialog.Root open={open} onOpenChange={(isOpen) => !isOpen && onKeep()}>
      <ConfirmDialog title={t("upload.discard.title")} text={t("upload.discard.text", { count })}>
        <Dialog.Close className="button">{t("upload.discard.keep")}</Dialog.Close>
        <button type="button" className={`button ${DANGER}`} onClick={onDiscard}>
          {t("upload.discard.confirm")}
        </button>
      </ConfirmDialog>
    </Dialog.Root>
  );
}
