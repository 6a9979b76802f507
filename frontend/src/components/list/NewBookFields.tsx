import { useLanguage } from "@/i18n/context";
import { LAYOUTS } from "@/lib/bookOptions";

const FIELD = "w-full rounded-[9px] border border-line bg-paper px-3 text-sm text-ink";
const LABEL = "text-[13px] text-mute";

/** What the book is made of; what is left out has a default. */
interface NewBook {
  title?: string;
  quantity?: number;
  dedication?: string;
  layout?: string;
}

/** The values of these fields in a submitted form. */
export function bookOf(form: FormData): NewBook {
  const text = (name: string) => {
    const value = form.get(name);
    return typeof value === "string" ? value.trim() : "";
  };
  const [title, quantity, dedication, layout] = ["title", "quantity", "dedication", "layout"].map(text);
  return {
    ...(title && { title }),
    ...(quantity && { quantity: Number(quantity) }),
    ...(dedication && { dedication }),
    ...(layout && layout !== "auto" && { layout }),
  };
}

/** What the book of a new order is made of; all of it can be left as it is. */
export function NewBookFields() {
  const { t } = useLanguage();
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_6rem] gap-3 sm:grid-cols-[minmax(0,1fr)_6rem_9.5rem]">
      <label className={`${LABEL} max-sm:col-span-2`}>
        <span className="mb-1.5 block">{t("item.title")}</span>
        <input
          name="title"
          maxLength={200}
          autoComplete="off"
          placeholder={t("upload.title.placeholder")}
          className={`${FIELD} h-9`}
        />
      </label>
      <label className={`${LABEL} max-sm:order-1`}>
        <span className="mb-1.5 block">{t("item.quantity")}</span>
        <input
          name="quantity"
          type="number"
          min={1}
          max={999}
          defaultValue={1}
          required
          className={`${FIELD} h-9`}
        />
      </label>
      <label className={LABEL}>
        <span className="mb-1.5 block">{t("item.layout")}</span>
        <select name="layout" className={`${FIELD} h-9`}>
          {LAYOUTS.map((layout) => (
            <option key={layout} value={layout}>
              {t(`book.layout.${layout}`)}
            </option>
          ))}
        </select>
      </label>
      <label className={`${LABEL} order-2 col-span-full`}>
        <span className="mb-1.5 block">{t("item.dedication")}</span>
        <textarea name="dedication" rows={2} maxLength={2000} className={`${FIELD} py-2`} />
      </label>
    </div>
  );
}
