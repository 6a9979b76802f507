import { useParams } from "react-router";
import { OrderDetail } from "./order/OrderDetail";

export default function OrderPage() {
  const { orderNumber = "" } = useParams();
  // Another order begins anew: nothing of the former one stays open.
  return <OrderDetail key={orderNumber} orderNumber={orderNumber} />;
}
