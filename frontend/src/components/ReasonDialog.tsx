import * as Dialog from "@radix-ui/react-dialog";
import { useId, useState, type SyntheticEvent } from "react";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { useLanguage } from "@/i18n/context";
import { MAX_REASON } from "@/lib/limits";

interface ReasonDialogProps {
  /** Of the button that opens it, and of the one that confirms. */
  label: string;
  title: string;
  text: string;
  /** Name of the field. */
  field: string;
  onReason: (reason: string) => void;
}

/** A button that asks for a reason before it acts. */
export function ReasonDialog(props: ReasonDialogProps) {
  const [open, setOpen] = useState(false);
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger className="button button-small">{props.label}</Dialog.Trigger>
      <ReasonQuestion {...props} onClose={() => setOpen(false)} />
    </Dialog.Root>
  );
}

/** The question alone; the parent renders the `Dialog.Root`. */
export function ReasonQuestion({
  label,
  title,
  text,
  field,
  onReason,
  onClose,
}: ReasonDialogProps & { onClose: () => void }) {
  const { t } = useLanguage();
  const [reason, setReason] = useState("");
  const form = useId();
  const confirm = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (reason.trim() === "") return;
    onReason(reason.trim());
    onClose();
    setReason("");
  };
  return (
    <ConfirmDialog
      title={title}
      text={text}
      notice={
        <form id={form} onSubmit={confirm} className="mt-3">
          <label className="grid gap-1 text-[13px] text-mute">
            {field}
            <input
              autoFocus
              required
              maxLength={MAX_REASON}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
              className="h-10 rounded-[10px] border border-line bg-card px-3 text-ink"
            />
          </label>
        </form>
      }
    >
      <Dialog.Close className="button">{t("action.cancel")}</Dialog.Close>
      <button type="submit" form={form} className="button button-primary">
        {label}
      </button>
    </ConfirmDialog>
  );
}
