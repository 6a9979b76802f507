import * as Menu from "@radix-ui/react-dropdown-menu";
import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";
import type { TextKey } from "@/i18n/catalogue";
import type { BulkAction } from "@/lib/bulkActions";
import type { ZipContent } from "@/lib/bulkFiles";
import { cn } from "@/lib/cn";

interface BulkMenuProps {
  isBusy: boolean;
  onAct: (action: BulkAction) => void;
  onZip: (what: ZipContent) => void;
}

const WORK: readonly BulkAction[] = ["retry", "approve"];
const NOTES: readonly BulkAction[] = ["printed", "shipped", "hold", "resume"];
const FILES: readonly ZipContent[] = ["coloring", "svg", "photos"];

function Item({ text, danger = false, onSelect }: { text: TextKey; danger?: boolean; onSelect: () => void }) {
  const { t } = useLanguage();
  return (
    <Menu.Item
      onSelect={onSelect}
      className={cn(
        "cursor-pointer rounded-[8px] px-3 py-2 outline-none data-highlighted:bg-soft",
        danger && "text-bad",
      )}
    >
      {t(text)}
    </Menu.Item>
  );
}

function Line() {
  return <Menu.Separator className="mx-2 my-1 h-px bg-line" />;
}

/** The rarer actions for the selected orders. */
export default function BulkMenu({ isBusy, onAct, onZip }: BulkMenuProps) {
  const { t } = useLanguage();
  const actions = (listed: readonly BulkAction[]) =>
    listed.map((action) => <Item key={action} text={`list.${action}`} onSelect={() => onAct(action)} />);
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger className="button button-small" disabled={isBusy}>
        {t("list.more")}
        <Icon name="chevronDown" className="size-3.5" />
      </Menu.Trigger>
      {/* Inside the page, not in a portal: all content belongs to a landmark. */}
      <Menu.Content
        align="end"
        sideOffset={10}
        collisionPadding={12}
        className="z-30 max-h-(--radix-dropdown-menu-content-available-height) min-w-56 overflow-y-auto rounded-xl border border-line bg-card p-1 shadow-float"
      >
        {actions(WORK)}
        <Line />
        {FILES.map((what) => (
          <Item key={what} text={`list.zip.${what}`} onSelect={() => onZip(what)} />
        ))}
        <Line />
        {actions(NOTES)}
        <Line />
        <Item danger text="list.delete" onSelect={() => onAct("delete")} />
      </Menu.Content>
    </Menu.Root>
  );
}
