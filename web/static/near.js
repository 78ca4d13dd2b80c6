// Puts off what is costly until it comes near to what is seen: photographs are large.

const arrivals = new WeakMap();

const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      arrivals.get(target)();
    }
  },
  { rootMargin: "200% 0px" },
);

export function near(element) {
  return new Promise((resolve) => {
    arrivals.set(element, resolve);
    observer.observe(element);
  });
}
