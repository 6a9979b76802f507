import { Icon } from "@/components/Icon";

/** The overlay while photos are dragged over the page; says what becomes of them. */
export function DropHint({ text }: { text: string }) {
  return (
    <div className="pointer-events-none fixed inset-0 z-50 bg-paper/80 p-5 backdrop-blur-sm">
      <div className="flex h-full flex-col items-center justify-center gap-4 rounded-3xl border-2 border-dashed border-accent px-6 text-center text-lg font-semibold">
        <Icon name="upload" className="size-10 text-accent" />
        {text}
      </div>
    </div>
  );
}
