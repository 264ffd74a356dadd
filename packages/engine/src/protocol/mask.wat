;; Masks the memory from 0 to $end with a key of four bytes, 64 bytes a turn and 16 at the end: up to 15 bytes behind $end
;; change as well. The result is 0 where all bytes from 0 to $end are of ASCII by then.
;; mask-simd.ts has it as bytes, and a test that they are these.
(module
  (memory (export "memory") 1)
  (func (export "mask") (param $end i32) (param $key i32) (result i32)
    (local $at i32)
    (local $whole i32)
    (local $keys v128)
    (local $part v128)
    (local $seen v128)
    (local $bits i32)
    (local $beyond i32)
    (local.set $keys (i32x4.splat (local.get $key)))
    (local.set $whole (i32.and (local.get $end) (i32.const -64)))
    (if (local.get $whole)
      (then
        (loop $next
          (v128.store (local.get $at)
            (local.tee $part (v128.xor (v128.load (local.get $at)) (local.get $keys))))
          (local.set $seen (v128.or (local.get $seen) (local.get $part)))
          (v128.store offset=16 (local.get $at)
            (local.tee $part (v128.xor (v128.load offset=16 (local.get $at)) (local.get $keys))))
          (local.set $seen (v128.or (local.get $seen) (local.get $part)))
          (v128.store offset=32 (local.get $at)
            (local.tee $part (v128.xor (v128.load offset=32 (local.get $at)) (local.get $keys))))
          (local.set $seen (v128.or (local.get $seen) (local.get $part)))
          (v128.store offset=48 (local.get $at)
            (local.tee $part (v128.xor (v128.load offset=48 (local.get $at)) (local.get $keys))))
          (local.set $seen (v128.or (local.get $seen) (local.get $part)))
          (br_if $next
            (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (local.get $whole))))))
    (block $done
      (loop $rest
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (v128.store (local.get $at)
          (local.tee $part (v128.xor (v128.load (local.get $at)) (local.get $keys))))
        (local.set $bits (i8x16.bitmask (local.get $part)))
        (if (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 16))
          (then
            (local.set $bits
              (i32.and (local.get $bits)
                (i32.sub
                  (i32.shl (i32.const 1) (i32.sub (local.get $end) (local.get $at)))
                  (i32.const 1))))))
        (local.set $beyond (i32.or (local.get $beyond) (local.get $bits)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $rest)))
    (i32.or (i8x16.bitmask (local.get $seen)) (local.get $beyond))))
