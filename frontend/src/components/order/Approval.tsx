import { ReasonDialog } from "@/components/ReasonDialog";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import { useApproval } from "./approvals";
import type { OrderImage } from "./model";

interface ApprovalProps {
  orderNumber: string;
  image: OrderImage;
  /** The page that is shown; approving chooses it. */
  versionId: number | null | undefined;
}

/** Whether the page is approved, and the buttons that approve it, lift that, or send it back. */
export function Approval({ orderNumber, image, versionId }: ApprovalProps) {
  const { t } = useLanguage();
  const canEdit = useCanEdit();
  const approval = useApproval(orderNumber, image);
  const page = image.versions.coloring.find((version) => version.id === versionId);
  const isChosen = page !== undefined && page.id === image.selected_version_ids.coloring;
  return (
    <>
      {image.rework_reason && (
        <p className="rounded-[10px] bg-soft px-3 py-2 text-[13px] break-words">
          {t("review.sentBack", { reason: image.rework_reason })}
        </p>
      )}
      {image.approved_at ? (
        <div className="flex flex-wrap items-center gap-2 text-[13px] text-mute">
          <span data-approved>
            {image.approved_by && image.approved_by !== "open"
              ? t("review.approvedBy", { name: image.approved_by })
              : t("review.approved")}
          </span>
          {canEdit && (
            <button type="button" className="button button-small" onClick={approval.lift}>
              {t("review.lift")}
            </button>
          )}
        </div>
      ) : (
        canEdit &&
        page?.status === "completed" && (
          <div className="flex flex-wrap items-center gap-2">
            <button
              type="button"
              className="button button-small button-primary aria-disabled:opacity-50"
              aria-disabled={approval.isPending}
              onClick={() => approval.approve(page.id)}
            >
              {t("review.approve", { version: page.version })}
            </button>
            {isChosen && (
              <ReasonDialog
                label={t("review.sendBack")}
                title={t("review.sendBack.title", { position: image.position })}
                text={t("review.sendBack.text")}
                field={t("review.sendBack.reason")}
                onReason={(reason) => approval.sendBack(page.id, reason)}
              />
            )}
          </div>
        )
      )}
    </>
  );
}

/** The same in the full-screen view: one button. */
export function ViewerApproval({ orderNumber, image, versionId }: ApprovalProps) {
  const { t } = useLanguage();
  const canEdit = useCanEdit();
  const approval = useApproval(orderNumber, image);
  const page = image.versions.coloring.find((version) => version.id === versionId);
  if (image.approved_at && versionId === image.selected_version_ids.coloring)
    return (
      <span data-approved className="text-[13px] text-[#d6cec3]">
        {t("review.approved")}
      </span>
    );
  if (!canEdit || image.approved_at || page?.status !== "completed") return null;
  return (
    <button
      type="button"
      className="h-9 rounded-[8px] bg-[#f1ece4] px-3 text-[13px] font-medium text-[#1d1b18] hover:bg-white"
      onClick={() => approval.approve(page.id)}
    >
      {t("review.approve", { version: page.version })}
    </button>
  );
}
