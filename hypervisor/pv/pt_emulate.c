// SPDX-License-Identifier: MIT
/*
 * Some of Linux's page-table primitives are not paravirtualised: they store straight into L1
 * tables, which are mapped read-only. One trap per private page of a fork, one per page of an
 * munmap: this path is short for that reason.
 *
 * The processor already worked out the address of the operand (CR2), and each instruction here has
 * one memory operand, so only the instruction's length must be decoded, not its addressing. Known
 * forms, all 64 bits wide: XCHG, MOV from register or immediate, CMPXCHG, BTS/BTR/BTC by immediate.
 * LOCK may be present or patched to a DS prefix; on one processor it means nothing to us.
 */
#include <hv/pt_emulate.h>
#include <hv/domain.h>
#include <hv/emulate.h>
#include <hv/guestcopy.h>
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/processor.h>
#include <hv/vcpu.h>

enum write_kind { WRITE_NONE, WRITE_XCHG, WRITE_MOV, WRITE_MOV_IMM, WRITE_CMPXCHG, WRITE_BIT };

struct write {
	enum write_kind kind;
	unsigned int length;
	unsigned int reg; /* register operand, or the operation of WRITE_BIT */
	u64 imm;
};

#define FLAGS_CMP 0x8d5ull /* CF PF AF ZF SF OF */
#define FLAG_CF	  1ull

/*
 * Few instructions of the kernel come here, over and over: what was decoded is kept, found by the
 * address and trusted only if the bytes there are still the same.
 */
struct decoded {
	u64 words[2];
	struct write w;
};

#define NR_DECODED 16

static struct decoded decoded[NR_DECODED];

/* Length of ModRM, SIB and displacement; 0 for a register operand. */
static unsigned int modrm_length(const u8 *p)
{
	unsigned int mod = p[0] >> 6;
	unsigned int rm = p[0] & 7;
	unsigned int len = 1;

	if (mod == 3)
		return 0;
	if (rm == 4) {
		len++;
		if (mod == 0 && (p[1] & 7) == 5)
			len += 4;
	} else if (mod == 0 && rm == 5) {
		len += 4;
	}
	if (mod == 1)
		len += 1;
	else if (mod == 2)
		len += 4;
	return len;
}

/* bytes holds 16, those beyond what could be read are zero. */
static struct write decode(const u8 *bytes)
{
	struct write w = {.kind = WRITE_NONE};
	const u8 *p = bytes;
	unsigned int operand, imm = 0;
	u8 rex;

	if (*p == 0xf0 || *p == 0x3e)
		p++;
	rex = *p++;
	if ((rex & 0xf8) != 0x48) /* 64-bit operand */
		return w;
	switch (*p++) {
	case 0x87:
		w.kind = WRITE_XCHG;
		break;
	case 0x89:
		w.kind = WRITE_MOV;
		break;
	case 0xc7:
		w.kind = WRITE_MOV_IMM;
		imm = 4;
		break;
	case 0x0f:
		if (*p == 0xb1)
			w.kind = WRITE_CMPXCHG;
		else if (*p == 0xba)
			w.kind = WRITE_BIT, imm = 1;
		p++;
		break;
	}
	operand = modrm_length(p);
	if (!operand)
		w.kind = WRITE_NONE;
	w.reg = ((*p >> 3) & 7) | (imm ? 0 : (rex & 4) << 1);
	p += operand;
	if (imm == 4)
		w.imm = (u64)(s64)(int32_t)((u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 |
					    (u32)p[3] << 24);
	else if (imm == 1)
		w.imm = *p & 63;
	w.length = (unsigned int)(p - bytes) + imm;
	return w;
}

static u64 compare_flags(u64 a, u64 b)
{
	u64 flags;

	asm("cmp %2, %1; pushfq; popq %0" : "=r"(flags) : "r"(a), "r"(b) : "cc");
	return flags & FLAGS_CMP;
}

static bool store(u64 *entry, u64 val)
{
	struct frame *table = frame_of(virt_to_mfn(entry));

	return page_write_l1e(current->domain, table, entry, val, false) == 0;
}

static bool change_bit(struct regs *regs, u64 *entry, unsigned int operation, u64 bit)
{
	u64 old = *entry;
	u64 mask = 1ull << bit;
	u64 val;

	switch (operation) {
	case 5:
		val = old | mask;
		break;
	case 6:
		val = old & ~mask;
		break;
	case 7:
		val = old ^ mask;
		break;
	default:
		return false;
	}
	if (!store(entry, val))
		return false;
	regs->rflags = (regs->rflags & ~FLAG_CF) | (old >> bit & 1);
	return true;
}

static bool compare_exchange(struct regs *regs, u64 *entry, u64 val)
{
	u64 old = *entry;
	u64 flags = compare_flags(regs->rax, old);

	if (old == regs->rax) {
		if (!store(entry, val))
			return false;
	} else {
		regs->rax = old;
	}
	regs->rflags = (regs->rflags & ~FLAGS_CMP) | flags;
	return true;
}

static bool carry_out(struct regs *regs, u64 *entry, const struct write *w)
{
	u64 *reg = emulate_register(regs, w->reg);
	u64 old = *entry;

	switch (w->kind) {
	case WRITE_XCHG:
		if (!store(entry, *reg))
			return false;
		*reg = old;
		return true;
	case WRITE_MOV:
		return store(entry, *reg);
	case WRITE_MOV_IMM:
		return w->reg == 0 && store(entry, w->imm);
	case WRITE_CMPXCHG:
		return compare_exchange(regs, entry, *reg);
	case WRITE_BIT:
		return change_bit(regs, entry, w->reg, w->imm);
	default:
		return false;
	}
}

/* The guest executes at rip, so that address is none of ours and its first byte is there. */
static const struct write *fetch(u64 rip)
{
	struct decoded *d = &decoded[(rip >> 2) % NR_DECODED];
	u64 words[2];

	if (!get_guest_u64_unchecked(vaddr(rip), &words[0]))
		return NULL;
	if (!get_guest_u64_unchecked(vaddr(rip + 8), &words[1]))
		words[1] = 0;
	if (d->words[0] != words[0] || d->words[1] != words[1]) {
		d->words[0] = words[0];
		d->words[1] = words[1];
		d->w = decode((const u8 *)words);
	}
	return &d->w;
}

bool pt_emulate_write(struct regs *regs, u64 address)
{
	u64 *mapping = page_walk_l1(vaddr(address), NULL);
	const struct write *w;
	struct frame *f;
	u64 *entry;

	if (!mapping || (*mapping & (PTE_P | PTE_RW)) != PTE_P || (address & 7))
		return false;
	f = page_owned(current->domain, pte_mfn(*mapping));
	if (!f || !f->type_refs || f->type != FT_L1)
		return false;
	w = fetch(regs->rip);
	entry = (u64 *)((u64)mfn_to_virt(pte_mfn(*mapping)) | (address & ~PAGE_MASK));
	if (!w || !carry_out(regs, entry, w))
		return false;
	regs->rip += w->length;
	current->domain->nr_pt_emulated++;
	return true;
}
