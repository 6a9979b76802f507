import { useId, type ReactNode, type Ref } from "react";

interface SectionProps {
  /** Anchor of the section. */
  id?: string;
  title: string;
  /** Actions on the right of the title. */
  aside?: ReactNode;
  /** Ref of the heading, to focus it. */
  heading?: Ref<HTMLHeadingElement>;
  children: ReactNode;
}

/** A section of the page with a title. */
export function Section({ id: anchor, title, aside, heading, children }: SectionProps) {
  const id = useId();
  return (
    <section id={anchor} aria-labelledby={id} className="mt-7 scroll-mt-16">
      <div className="mb-2.5 flex min-h-8 flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h2 id={id} ref={heading} tabIndex={-1} className="text-[15px] font-semibold outline-none">
          {title}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** A box inside a section. */
export const CARD = "rounded-[14px] border border-line bg-card shadow-card";
